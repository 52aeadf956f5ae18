"""The application: the main window, its datasets, its one running job and its dialogs.

It connects the widgets to the pool and the datasets; workers and `inference` do the work.
"""
