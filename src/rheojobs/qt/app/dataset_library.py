"""`DatasetLibrary`: the list of the opened datasets and their files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from qtpy.QtCore import QObject, Signal

from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.reading.preview import Reading

__all__ = ["DatasetLibrary", "OpenedDataset"]


@dataclass(eq=False)
class OpenedDataset:
    """A dataset of the library.

    Attributes
    ----------
    dataset : Dataset
        As it is read at present.
    path : Path or None
        The file that it was read from, if any.
    reading : Reading
        The user's choices of how to read it.
    """

    dataset: Dataset
    path: Path | None = None
    reading: Reading = field(default_factory=Reading)


class DatasetLibrary(QObject):
    """The opened datasets in the order of opening; one of them is the present one.

    Attributes
    ----------
    opened : list of OpenedDataset
        All datasets.
    number : int
        The index of the present one; -1 if there is none.
    listed : Signal()
        A dataset was added, removed or renamed.
    shown : Signal()
        Another dataset is present, or it was read in another way; there may be none.
    dropped : Signal(object)
        A `Dataset` that was removed from the list.
    relabelled : Signal(object, object)
        A `Dataset`, and the same with other conditions, which replaces it.
    """

    listed = Signal()
    shown = Signal()
    dropped = Signal(object)
    relabelled = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.opened: list[OpenedDataset] = []
        self.number = -1

    @property
    def datasets(self) -> list[Dataset]:
        """All datasets, as they are read at present."""
        return [opened.dataset for opened in self.opened]

    @property
    def current(self) -> OpenedDataset | None:
        """The present dataset with its file."""
        return self.opened[self.number] if self.opened else None

    @property
    def dataset(self) -> Dataset | None:
        """The present dataset."""
        return None if self.current is None else self.current.dataset

    def find(self, dataset: Dataset) -> int:
        """Return the index of a dataset of this name, test and values; -1 if there is none."""
        for number, known in enumerate(self.datasets):
            same = (known.name, known.test_mode) == (dataset.name, dataset.test_mode)
            if same and np.array_equal(known.x, dataset.x) and np.array_equal(known.y, dataset.y):
                return number
        return -1

    def add(
        self,
        dataset: Dataset,
        path: Path | None = None,
        reading: Reading | None = None,
        *,
        show: bool = True,
    ) -> None:
        """Add a dataset at the end of the list, and make it the present one if asked to."""
        self.opened.append(OpenedDataset(dataset, path, reading or Reading()))
        if show or self.number < 0:
            self.number = len(self.opened) - 1
        self.listed.emit()
        if self.number == len(self.opened) - 1:
            self.shown.emit()

    def show(self, number: int) -> None:
        """Make another dataset the present one."""
        self.number = number
        self.listed.emit()
        self.shown.emit()

    def correct(self, opened: OpenedDataset, dataset: Dataset, reading: Reading) -> None:
        """Replace a dataset of the list by the same one read in another way."""
        before = opened.dataset
        if dataset.conditions != before.conditions:  # they may have been typed
            dataset = replace(dataset, conditions=before.conditions)
        opened.dataset, opened.reading = dataset, reading
        self.listed.emit()
        if opened is self.current:
            self.shown.emit()
        self.dropped.emit(before)

    def insert(self, number: int, opened: OpenedDataset) -> None:
        """List closed data again in their place, and show them."""
        self.opened.insert(number, opened)
        self.show(number)

    def replace_all(self, opened: Sequence[OpenedDataset], number: int) -> None:
        """Replace the whole list, and show one of the new datasets, if there is any."""
        before, self.opened = self.opened, list(opened)
        self.number = min(max(number, 0), len(self.opened) - 1)
        self.listed.emit()
        self.shown.emit()
        kept = set(map(id, self.datasets))
        for gone in before:
            if id(gone.dataset) not in kept:
                self.dropped.emit(gone.dataset)

    def set_test_mode(self, mode: str) -> None:
        """Set the test mode of the present data; raise `InputError` if they cannot have it."""
        assert self.current is not None
        bare = replace(self.current.dataset, test_mode=None)
        dataset = Dataset.of(bare, test_mode=mode)
        self.correct(self.current, dataset, replace(self.current.reading, mode=mode))

    def set_conditions(self, opened: OpenedDataset, conditions: dict[str, float]) -> None:
        """Set the conditions of a dataset; its fits stay."""
        before = opened.dataset
        opened.dataset = replace(before, conditions=conditions)
        self.relabelled.emit(before, opened.dataset)

    def close(self) -> None:
        """Remove the present dataset from the list, and show the next one, or else the last."""
        if self.current is not None:
            gone = self.opened.pop(self.number)
            self.number = min(self.number, len(self.opened) - 1)
            self.listed.emit()
            self.shown.emit()
            self.dropped.emit(gone.dataset)
