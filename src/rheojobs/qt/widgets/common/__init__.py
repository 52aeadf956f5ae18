"""Small parts that every room of widgets uses: message bars, colours, numbers as text, redrawing.

They import no other room.
"""
