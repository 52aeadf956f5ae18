"""Read a file into a `Dataset`: text dialect, tables, headers, choice of columns, conversion.

In this order: `formats` (bytes to tables), `headings` (names and units), `columns` (x and y, SI
units), `curves` (segments and sweeps), `to_dataset`; `preview` shows the result and lets it be
corrected.

Other rooms use:

- `read`: `read`, `PLAIN_SUFFIXES`
- `preview`: `look`, `amended`, `table_of`, `Look`, `Reading`, `TableSeen`
- `options`: `ReadOptions`, `ROLES`
"""
