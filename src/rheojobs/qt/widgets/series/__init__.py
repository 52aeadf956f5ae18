"""Many files: a table of datasets and their fits, and a parameter against temperature or others.

Each widget can be used alone; see `rheojobs.qt.widgets`.
"""
