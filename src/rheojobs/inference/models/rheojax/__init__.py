"""RheoJAX's models as `Model`s: which there are, what each can do, and its function made pure.

Where RheoJAX's own code is wrong, slow or not differentiable, `replacements` has ours.

Other rooms use:

- `registry`: `RheojaxModel`, `load`, `names`, `register_all`, `version`
"""
