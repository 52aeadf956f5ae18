"""A row of the table of files: a dataset or a file that cannot be read, and the state of its fit.

No Qt.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from rheojobs.inference.batch.results_table import doubt_of, warnings_of
from rheojobs.inference.batch.trend import Measured
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.results.fit_result import FitResult

__all__ = ["FitState", "SeriesItem", "SeriesRow"]


_USUAL = re.compile(r"^[^;]*: [\w ]+ / [^ ,;]+$|in the file's name$")


class FitState(StrEnum):
    """The state of a row."""

    UNREAD = "unread"
    READY = "ready"
    WAITING = "waiting"
    FITTING = "fitting"
    GOOD = "good"
    DOUBTFUL = "doubtful"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class SeriesItem:
    """What is fitted, as the table of a batch names it.

    Attributes
    ----------
    name : str
        Of the file.
    label : str
        The model, with its settings.
    """

    name: str
    label: str


@dataclass(eq=False)
class SeriesRow:
    """One file of the series.

    Attributes
    ----------
    key : object
        Identifies it: two rows with the same key are the same.
    dataset : Dataset or None
        Its data; None if it cannot be read.
    path : Path or None
        Its file.
    label : str
        The model of its last fit, with its settings.
    fit : FitResult or None
        Its fit; a repeated fit replaces it only if it is better.
    fitted : Dataset or None
        The data of `fit`, in the quantity that the model predicts.
    recipe : object
        What its fit was asked for, to repeat it.
    problem : str
        Why it cannot be read, or why its fit failed, if there is none.
    is_waiting, is_fitting, is_stopped : bool
        Whether its fit waits for a worker, runs, or was cancelled.
    iteration : int
        Of the running fit.
    remark : str
        On the last fit, such as that a repeated fit was no better.
    modified : float
        When the file was changed last, in seconds since 1970; NaN if there is no file.
    """

    key: object
    dataset: Dataset | None
    path: Path | None = None
    label: str = ""
    fit: FitResult | None = None
    fitted: Dataset | None = None
    recipe: object = None
    problem: str = ""
    is_waiting: bool = False
    is_fitting: bool = False
    is_stopped: bool = False
    iteration: int = 0
    remark: str = ""
    modified: float = math.nan
    _judged: tuple[FitResult | None, str] = field(default=(None, ""), repr=False)

    @property
    def name(self) -> str:
        """The name of the data, or of the file."""
        if self.dataset is not None and self.dataset.name:
            return self.dataset.name
        return self.path.name if self.path is not None else ""

    @property
    def conditions(self) -> Mapping[str, float]:
        """Temperature, concentration and others."""
        return self.dataset.conditions if self.dataset is not None else {}

    @property
    def state(self) -> FitState:
        """What is to be said of it first."""
        if self.dataset is None:
            return FitState.UNREAD
        if self.is_fitting or self.is_waiting:
            return FitState.FITTING if self.is_fitting else FitState.WAITING
        if self.fit is not None:
            return FitState.DOUBTFUL if self.doubt else FitState.GOOD
        if self.problem:
            return FitState.FAILED
        return FitState.STOPPED if self.is_stopped else FitState.READY

    @property
    def is_busy(self) -> bool:
        """Whether its fit has not ended."""
        return self.is_waiting or self.is_fitting

    @property
    def can_be_repeated(self) -> bool:
        """Whether it was fitted before, with success or without."""
        return self.recipe is not None and not self.is_busy

    @property
    def doubt(self) -> str:
        """Why its fit should not be used as it is, by the rule of the batch."""
        if self._judged[0] is not self.fit:  # asked for with each repaint
            self._judged = self.fit, doubt_of(self.outcome(""))
        return self._judged[1]

    @property
    def warnings(self) -> list[str]:
        """The warnings on its fit; a doubt comes first."""
        return warnings_of(self.outcome("")) if self.fit is not None else []

    def remarks(self) -> list[str]:
        """Return all that is to be said of it in words, the most important first."""
        found = [self.problem] if self.problem else []
        found += self.warnings
        found += [self.remark] if self.remark else []
        notes = list(self.dataset.notes) if self.dataset is not None else []
        return found + sorted(notes, key=_is_usual)  # stable

    def first_remark(self) -> str:
        """Return what is to be said of it in one cell; empty if there is nothing unusual."""
        first = next(iter(self.remarks()), "")
        return "" if _is_usual(first) else first

    def measured(self, number: int, x: float) -> Measured | None:
        """Return its fit with its place on an axis; None without one."""
        if self.fit is None:
            return None
        return Measured(number, x, self.fit, self.doubt)

    def outcome(self, name: str, model: str = "") -> _Outcome:
        """Return it as the table of a batch takes it.

        Parameters
        ----------
        name : str
            Of its file.
        model : str
            The label of the model if it was not fitted.
        """
        return _Outcome(self, SeriesItem(name, self.label or model))


def _is_usual(note: str) -> bool:
    """Whether a note only says what a column holds, or what the table shows beside it."""
    return _USUAL.search(note) is not None


class _Outcome:
    """A row as a `TableEntry`."""

    posterior: dict[str, Any] | None = None

    def __init__(self, row: SeriesRow, item: SeriesItem) -> None:
        self.item = item
        self.fit, self.message = row.fit, row.problem
        self.state = "waiting"
        if row.fit is not None:
            self.state = "succeeded"
        elif row.problem:
            self.state = "failed"
        elif row.is_stopped:
            self.state = "stopped"
