"""The Qt face of the engine: `WorkerPool`, the workers, and what carries news between threads.

`widgets` has the parts of the window for windows of others, `app` the window itself.
"""
