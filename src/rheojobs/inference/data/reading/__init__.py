"""Read a file into a `Dataset`: text dialect, tables, headers, choice of columns, conversion.

One module for each step, in this order; `preview` shows the result and lets it be corrected.

Other rooms use:

- `read`: `read`, `PLAIN_SUFFIXES`
- `preview`: `look`, `amended`, `Look`, `Reading`, `TableSeen`
- `options`: `ReadOptions`, `ROLES`
"""
