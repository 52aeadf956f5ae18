"""What the parts of the study share: settings, a place for draws, one thing at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from side_by_side.cases import Sampling
from side_by_side.machine import wait_until_quiet
from side_by_side.sides import Outcome, outcome_of_draws

from sampling_study.cases import SamplingCase, sampling_case
from sampling_study.children import Child, ChildError

__all__ = ["Study", "record"]


@dataclass
class Study:
    """A run of the study.

    Attributes
    ----------
    models : tuple of str
        Which cases.
    repeats : int
        How often each thing is done.
    cancels : int
        How many jobs are cancelled.
    sampling : Sampling
        How to sample.
    scratch : Path
        Where processes leave draws, and caches go.
    say : callable
        Takes a line that tells how far it is.
    """

    models: tuple[str, ...]
    repeats: int
    cancels: int
    sampling: Sampling
    scratch: Path
    say: Callable[[str], object]
    _cases: dict[str, SamplingCase] = field(default_factory=dict)

    def case(self, model: str) -> SamplingCase:
        """Give a case, its data fitted once."""
        if model not in self._cases:
            self._cases[model] = sampling_case(model)
        return self._cases[model]

    def seeded(self, number: int) -> Sampling:
        """How to sample the n-th time."""
        return replace(self.sampling, seed=self.sampling.seed + number)

    def alone(self, what: str, job: Callable[[], Outcome]) -> Outcome:
        """Do something with the machine to itself, and tell how long it took."""
        if not wait_until_quiet():
            self.say("  the children do not come to rest; the next time may be too long")
        outcome = job()
        if outcome.error:
            self.say(f"  {what}: failed: {outcome.error}")
        else:
            self.say(f"  {what}: {outcome.seconds:.3f} s, least ESS {outcome.min_ess:.0f}")
        return outcome

    def sample_in(
        self,
        child: Child,
        job: Mapping[str, Any],
        sampling: Sampling,
        since_start: bool = False,
    ) -> Outcome:
        """Have a child process sample."""
        try:
            seconds, draws, said = child.sample(job, since_start)
        except ChildError as error:
            return Outcome(0.0, str(error))
        flat = {name: values.reshape(-1) for name, values in draws.items()}
        return outcome_of_draws(seconds, flat, said["divergences"], sampling)


def record(outcome: Outcome, points: int, **more: Any) -> dict[str, Any]:
    """Give what is kept of an outcome."""
    kept: dict[str, Any] = {"points": points, "seconds": outcome.seconds, **more}
    if outcome.error:
        return {**kept, "error": outcome.error}
    means = {name: [row["mean"], row["std"]] for name, row in outcome.posterior.items()}
    return {
        **kept,
        "min_ess": float(outcome.min_ess),
        "max_r_hat": float(outcome.max_r_hat),
        "divergences": outcome.divergences,
        "posterior": {name: np.asarray(pair).tolist() for name, pair in means.items()},
    }
