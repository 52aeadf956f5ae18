"""Expressions that users write, such as ``G0*exp(-t/tau)``: parsed, evaluated, printed.

Numbers, names, ``+ - * / **`` (or ``^``), parentheses and a few functions. An expression is taken
apart by a parser of its own: nothing in it is executed by Python.

Other rooms use:

- `parser`: `parse`, `split_outside_brackets`
- `expression`: `Expression`
- `symbols`: `symbol_of`
- `parameter_symbols`: `mathtext_of`, `parameter_symbol`, `with_symbols`
- `dimensions`: `Dimension`, `dimensions_of`
"""
