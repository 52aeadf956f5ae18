"""Plots that `fit` and `posterior` share: data with curves, small plots, pages of them.

They follow the palette, light or dark.
"""
