"""Tell a job's progress in the few characters that RheoJAX's window has room for."""

from __future__ import annotations

import math
from typing import Any

from rheojobs.durations import duration
from rheojobs.engine.events import Progress

__all__ = ["message_of"]


def message_of(progress: Progress, seconds: float) -> dict[str, Any]:
    """Return a message as RheoJAX's functions put them into their queue, with more details.

    Parameters
    ----------
    progress : Progress
        The job's newest.
    seconds : float
        How long it has taken.

    Returns
    -------
    dict
        ``type``, ``percent``, ``total``, ``message`` as theirs; ``short``, about 15 letters for
        the status bar; ``details``, about 60 for the step; ``stage`` and ``divergences``.
    """
    percent = _percent(progress)
    short, details = _words(progress)
    # That of the warm-up says nothing of the whole.
    seconds_left = progress.metrics.get("time_remaining") if progress.stage == "sampling" else None
    if seconds_left is not None and seconds_left >= 1:
        details += f", {duration(seconds_left)} left"
    return {
        "type": "progress",
        "percent": percent,
        "total": 100,
        "message": details,
        "short": short,
        "details": f"{duration(seconds)}: {details}",
        "stage": progress.stage,
        "divergences": int(progress.metrics.get("divergences", 0)),
    }


def _percent(progress: Progress) -> int:
    metrics = progress.metrics
    if progress.stage in ("warmup", "sampling") and "chains" in metrics:
        total = (metrics["num_warmup"] + metrics["num_samples"]) * len(metrics["chains"])
        return _share(sum(metrics["chains"]), total)
    if progress.stage == "fit" and "loss" in metrics:
        # How many iterations there will be is not known: half of the rest is done every ten.
        return int(100 * (1 - math.exp(-progress.current / 15)))
    return 0


def _share(current: float, total: float) -> int:
    return min(100, int(100 * current / total)) if total > 0 else 0


def _words(progress: Progress) -> tuple[str, str]:
    """Return the short text and the longer one."""
    metrics = progress.metrics
    if progress.stage in ("warmup", "sampling") and "chains" in metrics:
        stage = "warm-up" if progress.stage == "warmup" else "sampling"
        drawn = sum(max(0, done - metrics["num_warmup"]) for done in metrics["chains"])
        count = metrics["divergences"]
        words = [f"{stage}, {drawn:,} draws, {count} divergence{'' if count == 1 else 's'}"]
        if metrics.get("r_hat") and metrics.get("ess_bulk"):
            words.append(f"R-hat {max(metrics['r_hat'].values()):.3f}")
            words.append(f"ESS {min(metrics['ess_bulk'].values()):.0f}")
        return stage, ", ".join(words)
    if progress.stage == "fit" and "loss" in metrics:
        return f"iteration {progress.current}", (
            f"iteration {progress.current}, loss {float(metrics['loss']):.5g}"
        )
    text = progress.message or progress.stage
    return text[:15], text[:60]
