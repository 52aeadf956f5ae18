"""From a file to a `Dataset`: text dialect, tables, headers, choice of columns, units, conversion.

One file for each step, in this order; `preview` shows what was understood and lets it be corrected.

Other rooms use:

- `read`: `read`, `PLAIN_SUFFIXES`
- `preview`: `look`, `amended`, `Look`, `Reading`, `TableSeen`
- `options`: `ReadOptions`, `ROLES`
"""
