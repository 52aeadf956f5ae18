"""Write a result as a self-contained HTML page: parameters, figure, warnings."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.fit_report import facts
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.inference.results.html_view import draws_table, fit_table
from rheojobs.markup import html_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["figure_of", "html_report"]

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #1c1c1c; background: #fff;
       max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 1.6rem 0 .4rem; }
p.note { color: #595959; margin: .1rem 0; }
table { border-collapse: collapse; } th, td { padding: .2rem .9rem .2rem 0; text-align: left; }
th { border-bottom: 1px solid #999; font-weight: 600; } td.number, th.number { text-align: right;
     font-variant-numeric: tabular-nums; }
ul.warnings { background: #fff3d6; border-left: 4px solid #e69f00; margin: .4rem 0;
              padding: .5rem .5rem .5rem 1.8rem; }
img { max-width: 100%; height: auto; }
@media print { body { margin: 0; } }
"""

Row = Sequence[str]


def figure_of(result: FitResult | BayesianResult, dataset: Dataset) -> Figure:
    """Draw a result with its data."""
    from rheojobs.inference.reports.figures import fit_figure, posterior_figure

    if isinstance(result, FitResult):
        return fit_figure(dataset, result)
    return posterior_figure(dataset, result)


def html_report(result: FitResult | BayesianResult, dataset: Dataset) -> str:
    """Write the page.

    Parameters
    ----------
    result : FitResult or BayesianResult
        The result.
    dataset : Dataset
        Its data.
    """
    is_fit = isinstance(result, FitResult)
    kind = "Fit" if is_fit else "Posterior"
    title = f"{kind} of {result.model_name}" + (f" to {dataset.name}" if dataset.name else "")
    head, rows = fit_table(result) if isinstance(result, FitResult) else draws_table(result)
    told = facts(result) if isinstance(result, FitResult) else _draws_facts(result)
    warnings = (
        result.warnings
        if isinstance(result, FitResult)
        else [str(text) for text in result.diagnostics.get("warnings", ())]
    )
    parts = [
        f"<h1>{escape(title)}</h1>",
        *_notes([dataset.summary(), *dataset.notes, f"{result.timestamp:%Y-%m-%d %H:%M %Z}"]),
        _warnings(warnings),
        "<h2>Parameters</h2>",
        html_table(head, rows),
        f'<h2>Data and model</h2>\n<img alt="{escape(title)}" src="{_image(result, dataset)}">',
        f"<h2>{'How good it is' if is_fit else 'How it was sampled'}</h2>",
        html_table((), told),
    ]
    body = "\n".join(part for part in parts if part)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _image(result: FitResult | BayesianResult, dataset: Dataset) -> str:
    picture = io.BytesIO()
    figure_of(result, dataset).savefig(picture, format="png")
    return f"data:image/png;base64,{base64.b64encode(picture.getvalue()).decode()}"


def _notes(lines: Iterable[str]) -> list[str]:
    return [f'<p class="note">{escape(line.strip())}</p>' for line in lines if line.strip()]


def _warnings(lines: Sequence[str]) -> str:
    if not lines:
        return ""
    items = "\n".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<h2>Warnings</h2>\n<ul class="warnings">\n{items}\n</ul>'


def _draws_facts(result: BayesianResult) -> list[Row]:
    told = result.diagnostics
    rows: list[Row] = [
        ["chains", f"{result.num_chains}"],
        ["draws of each", f"{result.num_samples}, after {result.num_warmup} steps of warm-up"],
        ["divergences", f"{int(told.get('divergences', 0))}"],
        ["seed", f"{result.seed}"],
        ["sampled in", f"{result.sampling_time:.1f} s"],
    ]
    if result.is_partial:
        rows.insert(2, ["stopped", "before it was done"])
    return rows
