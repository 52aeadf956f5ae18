"""The list of opened datasets, and its signals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rheojobs import Dataset, InputError
from rheojobs.inference.data.reading.preview import Reading
from rheojobs.qt.app.dataset_library import DatasetLibrary


def sweep(name: str, mode: str | None = "relaxation", first: float = 3.0) -> Dataset:
    return Dataset(np.array([1.0, 2.0]), np.array([first, 2.0]), mode, name=name)


class Told:
    """The signals that a library has emitted."""

    def __init__(self, library: DatasetLibrary) -> None:
        self.shown: list[str | None] = []
        self.dropped: list[Dataset] = []
        self.lists: list[list[str]] = []
        library.listed.connect(lambda: self.lists.append([d.name for d in library.datasets]))
        library.shown.connect(
            lambda: self.shown.append(None if library.dataset is None else library.dataset.name)
        )
        library.dropped.connect(self.dropped.append)


def test_data_come_and_are_shown_or_wait() -> None:
    library = DatasetLibrary()
    told = Told(library)
    assert (library.current, library.dataset, library.number) == (None, None, -1)
    library.add(sweep("a"), Path("a.csv"))
    library.add(sweep("b"), show=False)
    assert told.shown == ["a"]
    assert told.lists == [["a"], ["a", "b"]]
    library.show(1)
    assert told.shown == ["a", "b"]
    assert [opened.path for opened in library.opened] == [Path("a.csv"), None]


def test_the_first_is_shown_in_any_case() -> None:
    library = DatasetLibrary()
    library.add(sweep("a"), show=False)
    assert library.number == 0


def test_data_are_found_by_what_they_are() -> None:
    library = DatasetLibrary()
    for dataset in (sweep("a"), sweep("b"), sweep("b", first=4.0)):
        library.add(dataset)
    assert library.find(sweep("b", first=4.0)) == 2
    assert library.find(sweep("b")) == 1
    assert library.find(sweep("b", "creep")) == -1


def test_correcting_and_naming_the_test_replace_the_present_one() -> None:
    library = DatasetLibrary()
    first = sweep("a", None)
    library.add(first, Path("a.csv"))
    told = Told(library)
    library.set_test_mode("creep")
    assert library.current is not None
    assert library.current.reading.mode == library.dataset.test_mode == "creep"
    assert told.dropped == [first]
    with pytest.raises(InputError):
        library.set_test_mode("oscillation")  # real values cannot be an oscillation
    library.correct(library.current, sweep("a, corrected"), Reading(step=2))
    assert told.shown == ["a", "a, corrected"]
    assert library.current.path == Path("a.csv")
    assert library.current.reading.step == 2


@pytest.mark.parametrize(("place", "then"), [(0, "b"), (1, "c"), (2, "b")])
def test_after_closing_the_next_is_shown_or_the_last(place: int, then: str) -> None:
    library = DatasetLibrary()
    for name in "abc":
        library.add(sweep(name))
    library.show(place)
    gone, told = library.dataset, Told(library)
    library.close()
    assert told.shown == [then]
    assert told.dropped == [gone]
    assert len(library.datasets) == 2


def test_the_last_one_leaves_nothing() -> None:
    library = DatasetLibrary()
    library.add(sweep("a"))
    told = Told(library)
    library.close()
    library.close()
    assert (library.datasets, library.number, library.dataset) == ([], -1, None)
    assert told.shown == [None]
    library.add(sweep("b"), show=False)
    assert told.shown == [None, "b"]


def test_conditions_that_were_typed_stay_when_data_are_read_in_another_way() -> None:
    library = DatasetLibrary()
    relabelled: list[tuple[Dataset, Dataset]] = []
    library.relabelled.connect(lambda *pair: relabelled.append(pair))
    library.add(sweep("a"))
    told, before = Told(library), library.dataset
    assert library.current is not None
    library.set_conditions(library.current, {"T": 300.0})
    assert relabelled == [(before, library.dataset)]
    assert (told.shown, told.dropped) == ([], [])
    library.set_test_mode("creep")
    assert library.dataset is not None
    assert library.dataset.conditions == {"T": 300.0}
    library.correct(library.current, sweep("a", first=9.0), Reading())
    assert (library.dataset.y[0], library.dataset.conditions) == (9.0, {"T": 300.0})
