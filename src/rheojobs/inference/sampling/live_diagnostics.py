"""Compute diagnostics of the draws while sampling, at a bounded cost."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.data.arrays import evenly
from rheojobs.inference.results import diagnostics
from rheojobs.inference.sampling.chains import Chain
from rheojobs.inference.sampling.collect import Collector

__all__ = ["LiveDiagnostics"]

INTERVAL = 1.0
"""Seconds between two updates."""

MAX_SHARE = 0.05
"""Largest fraction of the time that updates may take."""

FEWEST_DRAWS = 20

TRACE_POINTS = 200
"""Draws of each chain in a trace: enough for a plot, and few enough to be sent."""

FRESH = 0.1
"""Seconds for which reports carry new traces, since some reports are replaced by newer ones."""


class LiveDiagnostics:
    """R-hat and ESS of the draws so far, updated about once a second.

    Draws are mapped to parameters once, as they come; a slow update delays the next one, so that
    all of them take no more than a twentieth of the time.
    """

    def __init__(self, collector: Collector, clock: Callable[[], float] = time.monotonic) -> None:
        self._collector = collector
        self._clock = clock
        self._due = clock() + INTERVAL
        self._known: list[list[NDArray[np.float64]]] = []
        self._seen: list[int] = []
        self.metrics: dict[str, Any] = {}
        self._traces: dict[str, Any] = {}
        self._fresh_until = -np.inf

    @property
    def traces(self) -> dict[str, Any]:
        """The thinned draws of each parameter, shape (chains, k), and the draws' indices.

        Only for a short time after each update; else there is nothing new.
        """
        return self._traces if self._clock() < self._fresh_until else {}

    @property
    def words(self) -> str:
        """The worst ESS and R-hat as a suffix of a message; empty while nothing is known."""
        if not self.metrics:
            return ""
        ess = (*self.metrics["ess_bulk"].values(), *self.metrics["ess_tail"].values())
        if np.isnan(ess).any():
            return ""  # a chain does not move yet
        r_hat = max(self.metrics["r_hat"].values())
        told = f", ESS ≥ {min(ess):.0f}"
        return told if np.isnan(r_hat) else f", R-hat ≤ {r_hat:.3f}{told}"

    def update(self, chains: Sequence[Chain]) -> None:
        """Update, if it is time."""
        start = self._clock()
        if start < self._due:
            return
        self._look(chains)
        now = self._clock()
        self._fresh_until = now + FRESH
        self._due = now + max(INTERVAL, (now - start) / MAX_SHARE)

    def _look(self, chains: Sequence[Chain]) -> None:
        if not self._known:
            self._known = [[] for _ in chains]
            self._seen = [0 for _ in chains]
        fresh = []
        for number, chain in enumerate(chains):
            parts = chain.snapshot().parts
            fresh.append([part.z for part in parts[self._seen[number] :]])
            self._seen[number] = len(parts)
        lengths = [sum(len(rows) for rows in blocks) for blocks in fresh]
        if not any(lengths):
            return
        # In one call for all chains, which takes as long for a few draws as for many.
        width = next(part.shape[1] for blocks in fresh for part in blocks)
        rows = [np.concatenate([np.empty((0, width)), *blocks]) for blocks in fresh]
        for known, values in zip(self._known, self._collector.constrain(rows), strict=True):
            known.append(values)
        counts = [sum(len(block) for block in blocks) for blocks in self._known]
        count = min(counts)
        if count < FEWEST_DRAWS:
            return
        stacked = np.stack([np.concatenate(blocks)[:count] for blocks in self._known])
        draws = self._collector.named(stacked.reshape(-1, stacked.shape[-1]), (len(chains), count))
        picked = evenly(count, TRACE_POINTS)
        kept = {name: values[:, picked].astype(np.float32) for name, values in draws.items()}
        self._traces = {"traces": kept, "trace_draws": picked}
        summary = diagnostics.summarize(draws)
        self.metrics = {
            key: {name: row[key] for name, row in summary.items()}
            for key in ("r_hat", "ess_bulk", "ess_tail", "mean", "std")
        }
