"""The tabs of the window: one class for each page, and one list of them, in `page_tabs`.

A page derives from `Page` and overrides what concerns it; the window knows none of them by name.
"""
