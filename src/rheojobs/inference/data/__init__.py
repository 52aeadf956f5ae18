"""Measured data: values in SI units, with their test mode and its constants.

Imports neither JAX nor models; `data.reading` reads files.

Other rooms use:

- `dataset`: `Dataset`
- `test_modes`: `TEST_MODES`, `canonical_test_mode`, `mode_option`, `x_of`
- `step_quantity`: `as_step_quantity`
- `protocol`: `PROTOCOL_CONSTANTS`, `MODE_CONSTANTS`, `check_protocol`, `protocol_option`
- `conditions`: `CONDITIONS`, `ZERO_CELSIUS`, `check_conditions`, `conditions_of_name`
- `units`: `SI_UNITS`, `USUAL_UNITS`, `parse_unit`, `shown_unit`
- `arrays`: `parts_of`
- `axis_labels`: `powers`, `x_label`, `y_label`, `y_symbol`
- `axis_scales`: `are_logarithmic`
- `number`: `as_number`
- `reading.options`: `ReadOptions`, `ROLES`
- `reading.read`: `read`, `PLAIN_SUFFIXES`
- `reading.preview`: `look`, `amended`, `Look`, `Reading`
- `example_melt`: `csv_path`
"""
