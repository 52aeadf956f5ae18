"""Declare options once: their names, kinds, defaults, help and whether they are stored.

The packages that use options declare them, as `fits` does with `FitOptions`; the command, plans,
the window, stored tasks and docs/options.md follow from these declarations.

Other rooms use:

- `kinds`: `Choice`, `Columns`, `Count`, `Flag`, `Number`, `Settings`, `Text`
- `option`: `Option`, `Group`, `option`, `options_of`, `checked`
"""
