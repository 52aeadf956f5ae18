"""How options are declared, once: their names, kinds, defaults, help and whether they are stored.

The options themselves stand in the rooms that use them (`ReadOptions`, `FitOptions`,
`SampleOptions`, `CompareOptions`); the command's options, the keys of a plan, the fields of the
window, the stored tasks and docs/options.md follow from these declarations. Other rooms use
`kinds` and `option`.
"""
