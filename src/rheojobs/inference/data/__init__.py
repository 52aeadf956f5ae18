"""Measured data, as all rooms take them: values in SI units, their test and its constants.

Free of JAX and of models; reading files is the room inside, `data.reading`.

Other rooms use:

- `dataset`: `Dataset`
- `test_modes`: `TEST_MODES`, `canonical_test_mode`, `x_of`
- `protocol`: `PROTOCOL_CONSTANTS`, `MODE_CONSTANTS`, `check_protocol`
- `units`: `SI_UNITS`, `USUAL_UNITS`, `parse_unit`, `shown_unit`
- `arrays`: `parts_of`
- `number`: `as_number`
- `reading.options`: `ReadOptions`, `ROLES`
- `reading.read`: `read`, `PLAIN_SUFFIXES`
- `reading.preview`: `look`, `amended`, `Look`, `Reading`
- `example_melt`: `csv_path`
"""
