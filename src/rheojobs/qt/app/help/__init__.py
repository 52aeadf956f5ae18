"""What the window says about itself: its keys, its documentation, its versions and its icon.

Other rooms use `help_menu` and `icon`.
"""
