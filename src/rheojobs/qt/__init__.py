"""The Qt interface of the engine: `WorkerPool`, the workers, and signals across threads.

`binding` chooses between PySide6 and PyQt6. `widgets` has the parts of the window, each usable in
another window; `app` is the window.
"""
