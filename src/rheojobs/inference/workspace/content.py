"""The content of a workspace, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.reading.preview import Reading
from rheojobs.inference.models.labels import label_of
from rheojobs.inference.models.own.reference import FileReference
from rheojobs.inference.results.bayesian_result import BayesianResult
from rheojobs.inference.results.fit_result import FitResult

__all__ = ["Workspace", "WorkspaceData", "WorkspaceEdits", "WorkspaceRun"]


@dataclass(frozen=True, eq=False)
class WorkspaceData:
    """A dataset and where it came from.

    Attributes
    ----------
    dataset : Dataset
        The data themselves: the file that they came from may be gone.
    path : str
        The file that they were read from; empty if they came from elsewhere.
    sha256 : str
        Of that file when the workspace was saved; empty if it could not be read then.
    reading : Reading
        The user's choices of how to read it.
    """

    dataset: Dataset
    path: str = ""
    sha256: str = ""
    reading: Reading = field(default_factory=Reading)


@dataclass(frozen=True, eq=False)
class WorkspaceRun:
    """A fit or a sampling that has ended, with all that is needed to repeat it.

    Attributes
    ----------
    kind : str
        ``"fit"`` or ``"sampling"``.
    data : int
        The index of its dataset in the workspace.
    model : str
        The model's name.
    start : mapping of str to float
        Initial values of a fit; where a sampling starts, such as the estimates of a fit.
    options : mapping
        Those of `FitOptions` or `SampleOptions` that differ from the defaults.
    result : FitResult or BayesianResult
        The result.
    """

    kind: Literal["fit", "sampling"]
    data: int
    model: str
    start: Mapping[str, float]
    options: Mapping[str, Any]
    result: FitResult | BayesianResult

    @property
    def label(self) -> str:
        """The model with its settings: ``generalized_maxwell:n_modes=6``."""
        return label_of(self.model, self.options.get("model_config") or {})

    @property
    def title(self) -> str:
        """What it is in a few words: ``fit of maxwell``."""
        return f"{self.kind} of {self.label}"


@dataclass(frozen=True)
class WorkspaceEdits:
    """What the user has chosen and typed for the next run.

    Attributes
    ----------
    data : int
        The index of the present dataset; -1 if there is none.
    model : str
        The chosen model; empty if there is none.
    starts, fixed : mapping of str to float
        Typed initial values, and fixed parameters.
    bounds : mapping of str to (float, float)
        Bounds that are narrower than the model's.
    priors : mapping of str to mapping
        Edited priors, as in `SampleOptions`; they may be incomplete.
    config : mapping of str to str, int, float or bool
        The settings of the model, where they are not its defaults.
    """

    data: int = -1
    model: str = ""
    starts: Mapping[str, float] = field(default_factory=dict)
    fixed: Mapping[str, float] = field(default_factory=dict)
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    priors: Mapping[str, Mapping[str, str | float]] = field(default_factory=dict)
    config: Mapping[str, str | int | float | bool] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Workspace:
    """Data, the runs on them, edits and notes.

    Attributes
    ----------
    datasets : tuple of WorkspaceData
        In the order of opening.
    runs : tuple of WorkspaceRun
        In the order in which they ended.
    edits : WorkspaceEdits
        For the next run.
    notes : str
        The user's own text.
    """

    datasets: tuple[WorkspaceData, ...] = ()
    runs: tuple[WorkspaceRun, ...] = ()
    edits: WorkspaceEdits = field(default_factory=WorkspaceEdits)
    notes: str = ""

    def validate(self) -> None:
        """Raise an `InputError` if its parts do not fit together."""
        count = len(self.datasets)
        if not -1 <= self.edits.data < count:
            raise InputError(f"its present data are number {self.edits.data + 1} of {count}")
        for number, run in enumerate(self.runs, 1):
            kind = FitResult if run.kind == "fit" else BayesianResult
            if FileReference.of(run.model) is not None:  # repeating it would run that file
                raise InputError(f"run {number} is of {run.model!r}, which is a function in a file")
            if not 0 <= run.data < count:
                raise InputError(f"run {number} is of data {run.data + 1} of {count}")
            if not isinstance(run.result, kind):
                raise InputError(f"run {number}, a {run.title}, has the result of another kind")
            fitted = run.result.fitted if isinstance(run.result, FitResult) else None
            if fitted is not None and fitted.shape != self.datasets[run.data].dataset.x.shape:
                raise InputError(f"run {number}, a {run.title}, has the curve of other data")
        for item in self.datasets:
            item.dataset.validate()
