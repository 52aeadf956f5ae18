"""Adapt RheoJAX's models to `Model`: list them, probe their tests, and make them pure functions.

If RheoJAX's own code is wrong, slow or not differentiable, `replacements` has ours.

Other rooms use:

- `registry`: `RheojaxModel`, `load`, `names`, `register_all`, `version`
"""
