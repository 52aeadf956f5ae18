"""The names and units in the rows of text around the names of a table.

The other rooms use `recognise`, `unit_rows` and the errors of units.
"""
