"""Models: functions of x and parameters, from RheoJAX or from the user.

`loading` loads a model by name; `models.rheojax` adapts RheoJAX's models; `models.own` makes models
of formulas and of functions in files.

Other rooms use:

- `model`: `Model`
- `parameters`: `Parameter`, `Alternative`, `MANY_DECADES`, `log_offset`, `spans_decades`
- `mode_order`: `mode_columns`, `mode_order`, `ordered_rows`
- `code_digest`: `code_digest`
- `loading`: `load`, `load_own`, `check_name`, `describe`
- `own.reference`: `FileReference`, `is_formula`, `is_own`, `split_names`, `split_settings`
- `own.files`: `source_of`
- `catalogue`: `ModelInfo`, `catalogue`, `cached_catalogue`
- `settings`: `FORMULA`, `ModelSetting`
- `ties`: `Tie`, `parse_tie`, `parse_ties`
- `labels`: `affinity_of`, `label_of`, `name_of`, `title_of`
- `rheojax.registry`: `register_all`
"""
