"""Small parts that all widgets use: message bars, colours, numbers as text, redrawing.

They import no other package of widgets.
"""
