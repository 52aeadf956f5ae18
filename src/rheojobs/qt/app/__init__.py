"""The application: the main window, its datasets, its one running job and its dialogs.

It connects the widgets to the pool and the datasets; workers and `inference` do the work.
"""

from importlib import import_module

# PySide6 looks into the source of every module imported after it, 0.15 s for those below Qt:
# they come first.
for _name in (
    "rheojobs.engine.engine",
    "rheojobs.inference.data.reading.preview",
    "rheojobs.inference.readiness.prewarm",
    "rheojobs.inference.fits.task",
    "rheojobs.inference.sampling.task",
):
    import_module(_name)
import_module("rheojobs.qt.binding")
