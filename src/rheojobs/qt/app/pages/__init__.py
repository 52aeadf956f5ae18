"""The tabs of the window: one class for each page, and one list of them, in `page_tabs`.

A page derives from `Page` and overrides the methods that concern it.
"""
