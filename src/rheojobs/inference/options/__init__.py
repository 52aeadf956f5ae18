"""How options are declared, once: their names, kinds, defaults, help and whether they are stored.

The options themselves stand in the rooms that use them, as `FitOptions` in `fits`; command, plans,
window, stored tasks and docs/options.md follow from these declarations.

Other rooms use:

- `kinds`: `Choice`, `Columns`, `Count`, `Flag`, `Number`, `Settings`, `Text`
- `option`: `Option`, `Group`, `option`, `options_of`, `checked`
"""
