"""Summarizes a result in a line or two: the kind of message, its text, and a link to the rest."""

from __future__ import annotations

from qtpy.QtCore import QCoreApplication

from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.qt.widgets.common.texts import divergences_text, duration, number, sentence

__all__ = ["fit_report", "posterior_report"]


def _tr(text: str) -> str:
    return QCoreApplication.translate("reports", text)


def fit_report(result: FitResult) -> tuple[str, str, str]:
    """Return the kind of message, its text, and the text of a link to the report.

    Green only if nothing speaks against the fit; else the gravest warning in words.
    """
    facts = [f"R² = {result.r_squared:.5f}"]
    facts.append(_tr("mean deviation {percent} %").format(percent=number(result.mpe, 3)))
    if result.n_iterations is not None:
        facts.append(_tr("{count} iterations").format(count=result.n_iterations))
    facts.append(duration(result.fit_time))
    text = ", ".join(facts)
    concerns = result.concerns
    if not concerns:
        return "success", _tr("Converged: {facts}.").format(facts=text), ""
    first = sentence(concerns[0], result.parameters)
    return "warning", f"{first} {text[:1].upper()}{text[1:]}.", _more(len(concerns) - 1)


def posterior_report(result: BayesianResult) -> tuple[str, str, str]:
    """Return the kind of message, its text, and the text of a link to the posterior."""
    facts = _tr("{chains} × {draws} draws in {time}, {divergences}").format(
        chains=result.num_chains,
        draws=result.num_samples,
        time=duration(result.sampling_time),
        divergences=divergences_text(int(result.diagnostics["divergences"])),
    )
    concerns = result.concerns
    if not concerns:
        return "success", _tr("{facts}. The chains agree.").format(facts=facts), ""
    first = sentence(concerns[0], result.posterior_samples)
    return "warning", f"{first} {facts}.", _more(len(concerns) - 1)


def _more(count: int) -> str:
    """Return the text of a link to all warnings, of which so many are not shown."""
    if count == 0:
        return _tr("Details")
    return _tr("1 more warning") if count == 1 else _tr("{n} more warnings").format(n=count)
