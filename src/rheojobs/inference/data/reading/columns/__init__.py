"""Which columns of a table are x and y, in which units, and their conversion to SI units.

The other rooms use `column_choice` and `conversion`.
"""
