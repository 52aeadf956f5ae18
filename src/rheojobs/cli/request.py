"""What the user asks for on the command line, checked before anything is started.

Knows text, files and tasks; must not know terminals or how jobs run.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rheojobs.errors import InputError

if TYPE_CHECKING:
    from rheojobs.inference.data.dataset import Dataset
    from rheojobs.inference.fits.task import FitTask
    from rheojobs.inference.sampling.task import SampleTask

__all__ = [
    "FIGURE_SUFFIXES",
    "Request",
    "SamplePlan",
    "check_output",
    "parse_config",
    "parse_numbers",
    "parse_priors",
    "parse_ties",
]

FIGURE_SUFFIXES = (".png", ".pdf", ".svg")

_WORDS = {"true": True, "yes": True, "false": False, "no": False, "none": None}


def _pairs(option: str, texts: Sequence[str], example: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise InputError(f"{option} takes NAME=VALUE, such as {example}; got {text!r}")
        if name in pairs:
            raise InputError(f"{option} gives {name!r} twice: {pairs[name]} and {value}")
        pairs[name] = value
    return pairs


def parse_numbers(option: str, texts: Sequence[str], example: str) -> dict[str, float]:
    """Read an option that is given once for each number, such as ``--init G0=1e5``.

    Parameters
    ----------
    option : str
        Its name, for messages.
    texts : sequence of str
        ``NAME=VALUE`` each.
    example : str
        A good one, for messages.
    """
    numbers = {}
    for name, value in _pairs(option, texts, example).items():
        try:
            number = float(value)
        except ValueError:
            raise InputError(
                f"{option} {name}: {value!r} is not a number, such as {example}"
            ) from None
        if not math.isfinite(number):
            raise InputError(f"{option} {name}: must be finite, got {value}")
        numbers[name] = number
    return numbers


def parse_config(texts: Sequence[str], option: str = "--config") -> dict[str, Any]:
    """Read ``--config NAME=VALUE``: whole numbers, numbers, true and false, else words."""
    config: dict[str, Any] = {}
    for name, value in _pairs(option, texts, "n_modes=6").items():
        if value.casefold() in _WORDS:
            config[name] = _WORDS[value.casefold()]
            continue
        config[name] = value
        for kind in (int, float):
            try:
                config[name] = kind(value)
            except ValueError:
                continue
            break
    return config


def parse_ties(texts: Sequence[str]) -> dict[str, str]:
    """Read ``--tie NAME=EXPRESSION``."""
    return _pairs("--tie", texts, "'G_2=0.5*G_1'")


def parse_priors(texts: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Read ``--prior NAME=dist(a,b)``."""
    from rheojobs.inference.posterior.prior_syntax import parse_prior

    pairs = _pairs("--prior", texts, "'G0=normal(1e5,2e4)'")
    return {name: parse_prior(name, text) for name, text in pairs.items()}


def check_output(option: str, path: Path | None, suffixes: Sequence[str] = ()) -> None:
    """Raise an `InputError` where a result could not be written to `path` in the end."""
    if path is None or str(path) == "-":
        return
    folder = path.parent
    if path.is_dir():
        raise InputError(f"{option} {path} is a folder: give the name of a file in it")
    if not folder.is_dir():
        raise InputError(f"{option} {path}: there is no folder {folder}")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise InputError(f"{option} {path} cannot be written: permission denied")
    if suffixes and path.suffix.lower() not in suffixes:
        raise InputError(f"{option} {path}: the name must end in {', '.join(suffixes)}")


@dataclass(frozen=True)
class SamplePlan:
    """How to sample.

    Attributes
    ----------
    warmup, draws, chains, seed : int
        As `SampleTask` has them.
    priors : dict
        By parameter.
    likelihood : str or None
        How the data scatter; None chooses by the data.
    default_priors : str
        What is assumed of parameters beforehand.
    until_ess : float or None
        How many independent draws are enough.
    """

    warmup: int = 1000
    draws: int = 2000
    chains: int = 4
    seed: int = 42
    priors: dict[str, dict[str, Any]] = field(default_factory=dict)
    likelihood: str | None = None
    default_priors: str = "logarithmic"
    until_ess: float | None = None


@dataclass(frozen=True)
class Request:
    """What is to be fitted, from which file.

    Attributes
    ----------
    file : Path
        The data.
    model : str
        A name of the catalogue.
    mode : str or None
        The test mode, where the file does not tell.
    columns : tuple of (str or None)
        x, y and the second y, by name or number.
    step : int or None
        Which section of the file.
    initial, protocol : dict of str to float
        Values to start from, and constants of the test.
    config : dict
        The model's own settings.
    weights : str or None
        Of the fit.
    multi_start : int
        How many starts of the fit.
    fixed : dict of str to float
        Parameters that keep their value.
    tied : dict of str to str
        Parameters that are computed from others.
    loss : str
        How the fit counts residuals.
    intervals : str or None
        Which confidence intervals are wanted.
    sigma : tuple of str
        The columns of standard deviations.
    """

    file: Path
    model: str
    mode: str | None = None
    columns: tuple[str | None, str | None, str | None] = (None, None, None)
    step: int | None = None
    initial: dict[str, float] = field(default_factory=dict)
    protocol: dict[str, float] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    weights: str | None = None
    multi_start: int = 1
    fixed: dict[str, float] = field(default_factory=dict)
    tied: dict[str, str] = field(default_factory=dict)
    loss: str = "linear"
    intervals: str | None = None
    sigma: tuple[str, ...] = ()

    def read(self) -> Dataset:
        """Read the file."""
        from rheojobs.inference.data.reading.read import read

        x, y, y2 = self.columns
        return read(self.file, mode=self.mode, x=x, y=y, y2=y2, step=self.step, sigma=self.sigma)

    def fit_task(self, dataset: Dataset) -> FitTask:
        """Make the fit, checked as far as it can be here."""
        from rheojobs.inference.fits.task import FitTask

        options = {
            "multi_start": self.multi_start,
            "weights": self.weights,
            "test_mode": self.mode,
            "protocol": self.protocol,
            "model_config": self.config,
            "fixed": self.fixed,
            "tied": self.tied,
            "loss": self.loss,
            "intervals": self.intervals,
        }
        task = FitTask(self.model, dataset, self.initial, options)
        task.validate()
        return task

    def sample_task(
        self, dataset: Dataset, plan: SamplePlan, warm_start: dict[str, float] | None
    ) -> SampleTask:
        """Make the sampling, checked as far as it can be here."""
        from rheojobs.inference.sampling.task import SampleTask

        task = SampleTask(
            self.model,
            dataset,
            num_warmup=plan.warmup,
            num_samples=plan.draws,
            num_chains=plan.chains,
            warm_start=warm_start or None,
            priors=plan.priors,
            seed=plan.seed,
            test_mode=self.mode,
            protocol=self.protocol,
            model_config=self.config,
            likelihood=plan.likelihood,
            fixed=self.fixed,
            default_priors=plan.default_priors,
            until_ess=plan.until_ess,
        )
        task.validate()
        return task
