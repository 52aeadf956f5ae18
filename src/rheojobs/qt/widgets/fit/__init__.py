"""Widgets of a fit: its curve over the data, its loss, its report, earlier fits to compare.

They show a `FitResult` and the progress of a fit; they compute nothing.
"""
