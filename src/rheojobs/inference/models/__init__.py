"""Models: functions of x and parameters, from RheoJAX or from the user.

`loading` loads a model by name; `models.rheojax` adapts RheoJAX's models.

Other rooms use:

- `model`: `Model`
- `parameters`: `Parameter`, `Alternative`, `MANY_DECADES`, `spans_decades`
- `loading`: `load`, `check_name`
- `catalogue`: `ModelInfo`, `catalogue`, `cached_catalogue`
- `ties`: `Tie`, `parse_tie`, `parse_ties`
- `labels`: `affinity_of`, `label_of`, `name_of`
- `rheojax.registry`: `register_all`
"""
