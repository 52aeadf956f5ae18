"""The application: the main window, its datasets, its one running job and its dialogs.

It wires the widgets to the pool and to the datasets; the work is done in workers and on floor 2.
"""
