"""What is fitted: functions of x and parameters, from RheoJAX or from the user.

A model is loaded by name in `loading`; `models.rheojax` makes models of RheoJAX's.

Other rooms use:

- `model`: `Model`
- `parameters`: `Parameter`, `Alternative`, `MANY_DECADES`, `spans_decades`
- `loading`: `load`, `check_name`
- `catalogue`: `ModelInfo`, `catalogue`, `cached_catalogue`
- `ties`: `Tie`, `parse_tie`, `parse_ties`
- `labels`: `label_of`
- `rheojax.registry`: `register_all`
"""
