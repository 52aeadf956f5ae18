"""Prepare workers before the first job: import modules, and compile programs ahead of time.

Worker processes import `warm_up`, which must stay light until it is called.

Other rooms use:

- `warm_up`: `PRELOAD`, `warm_up_fully`
- `prewarm`: `PrewarmTask`
"""
