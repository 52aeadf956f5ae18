"""Summarizes a result in a line or two: the kind of message, and its text."""

from __future__ import annotations

from qtpy.QtCore import QCoreApplication

from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.fit_result import FitResult
from rheojobs.qt.widgets.common.texts import divergences_text, duration, number

__all__ = ["fit_report", "posterior_report"]


def _tr(text: str) -> str:
    return QCoreApplication.translate("reports", text)


def fit_report(result: FitResult) -> tuple[str, str]:
    """Return the kind of message and the text for a fit."""
    facts = [f"R² = {result.r_squared:.5f}"]
    facts.append(_tr("mean deviation {percent} %").format(percent=number(result.mpe, 3)))
    if result.n_iterations is not None:
        facts.append(_tr("{count} iterations").format(count=result.n_iterations))
    facts.append(duration(result.fit_time))
    text = ", ".join(facts)
    if result.success:
        return "success", _tr("Converged: {facts}.").format(facts=text)
    return "warning", _tr("Not converged: {facts}. {reason}").format(
        facts=text, reason=result.message
    )


def posterior_report(result: BayesianResult) -> tuple[str, str]:
    """Return the kind of message and the text for a sampling, with its warnings if it has any."""
    facts = _tr("{chains} × {draws} draws in {time}, {divergences}").format(
        chains=result.num_chains,
        draws=result.num_samples,
        time=duration(result.sampling_time),
        divergences=divergences_text(int(result.diagnostics["divergences"])),
    )
    warnings = [str(text) for text in result.diagnostics.get("warnings", ())]
    if not warnings:
        return "success", _tr("{facts}. The chains agree.").format(facts=facts)
    sentences = [f"{facts}.", *(f"{text[:1].upper()}{text[1:]}." for text in warnings)]
    return "warning", "\n".join(sentences)
