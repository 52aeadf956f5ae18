"""What makes a worker ready before the first job needs it: imports, and programs compiled ahead.

`warm_up` is the path that worker processes import; it must stay light until it is called.

Other rooms use:

- `warm_up`: `PRELOAD`, `warm_up_fully`
- `prewarm`: `PrewarmTask`
"""
