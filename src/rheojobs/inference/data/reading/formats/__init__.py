"""From the bytes of a file to its tables: text, workbooks, XML and instruments' own formats.

The other rooms use `sections_of` and `Section`, one table with its cells as text.
"""
