"""Write results as pages, files and figures.

Needs only results and datasets; imports neither JAX nor Qt.

Other rooms use:

- `html`: `html_report`, `figure_of`
- `export`: `export`, `check_export`, `KINDS`
- `figures`: `fit_figure`, `posterior_figure`
- `figures.curves`: `limit_to_data`, `scales`
- `figures.labels`: `short_name`, `x_label`
- `figures.style`: `style`, `new_figure`, `GREY`
"""
