"""A fit: its curve over the data, its loss while it runs, its report, and earlier fits to compare.

They show a `FitResult` and the progress of a fit; nothing is computed here.
"""
