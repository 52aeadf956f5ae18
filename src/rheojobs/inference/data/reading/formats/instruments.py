"""Read rheometers' own formats (TRIOS, Anton Paar) with RheoJAX's readers, if installed."""

from __future__ import annotations

import logging
import re
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rheojobs.errors import InputError, printable
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.units import parse_unit, si_name

__all__ = ["read_with_rheojax"]


def read_with_rheojax(path: Path, step: int | None, mode: str | None) -> Dataset:
    """Read an instrument's own format.

    Parameters
    ----------
    path : Path
        The file.
    step : int or None
        Which section of several, from 1.
    mode : str or None
        The test mode, if the user has named it.

    Raises
    ------
    InputError
        If RheoJAX is missing or its readers cannot read the file.
    """
    datasets = _loaded(path)
    if not 1 <= (step or 1) <= len(datasets):
        raise InputError(f"there is no step {step}: the file has {len(datasets)}, from 1")
    dataset = datasets[(step or 1) - 1]
    if len(datasets) > 1:
        note = f"{len(datasets)} sections: took {step or 1}; the option step chooses another"
        dataset = replace(dataset, notes=(note, *dataset.notes))
    return Dataset.of(dataset, mode)


def _loaded(path: Path) -> list[Dataset]:
    try:
        from rheojax.io import auto_load, load_trios
    except ImportError as error:
        raise InputError(
            "not a table of text or Excel; more instrument formats (TRIOS, Anton Paar) are read "
            'where RheoJAX is installed: pip install "rheojobs[rheology]"'
        ) from error
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        # It logs the traceback of every reader that it tries; one line below is enough.
        speaker = logging.getLogger("rheojax")
        level = speaker.level
        speaker.setLevel(logging.CRITICAL + 1)
        try:
            # Its check for tensile data takes an e before a quotation mark, as in any JSON, for E'.
            is_json = path.suffix.lower() == ".json"
            loaded = load_trios(path, return_all_segments=True) if is_json else auto_load(path)
        except Exception as error:  # its readers raise what their parsers raise
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            # We do not have these options.
            reason = re.sub(r"\W*Please specify x_col and y_col\W*", "", reason).rstrip(":.")
            raise InputError(
                f"neither a table nor a file that RheoJAX's readers take ({reason}); export it "
                "as CSV with one header row"
            ) from error
        finally:
            speaker.setLevel(level)
    told = tuple(printable(str(w.message)) for w in caught if issubclass(w.category, UserWarning))
    datasets = []
    for item in loaded if isinstance(loaded, list) else [loaded]:
        dataset = Dataset.of(item)
        x, x_unit, x_notes = _rescaled(dataset.x, dataset.x_unit, "x")
        y, y_unit, y_notes = _rescaled(dataset.y, dataset.y_unit, "y")
        notes = ("read with RheoJAX", *told, *x_notes, *y_notes, *dataset.notes)
        datasets.append(
            replace(
                dataset,
                x=x,
                y=y,
                x_unit=x_unit,
                y_unit=y_unit,
                name=printable(path.stem),
                notes=notes,
            )
        )
    return datasets


def _rescaled[T: (NDArray[np.float64], NDArray[np.float64] | NDArray[np.complex128])](
    values: T, unit: str, axis: str
) -> tuple[T, str, tuple[str, ...]]:
    """Bring values in a known unit to SI."""
    parsed = parse_unit(unit) if unit else None
    if parsed is None or parsed[0] == 1.0:
        return values, unit, ()
    si_unit = si_name(unit)
    return values * parsed[0], si_unit, (f"{axis}: converted from {unit} to {si_unit}",)
