"""Look up the candidates of a comparison: their tests and parameters."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from rheojobs.engine import JobEngine
from rheojobs.errors import InputError, nearest
from rheojobs.inference.comparison.candidates import Candidate
from rheojobs.inference.models.catalogue import ModelInfo, catalogue
from rheojobs.inference.models.loading import describe, load
from rheojobs.inference.models.model import Model
from rheojobs.inference.models.own.reference import FileReference, is_formula, is_own

__all__ = ["described"]


def described(engine: JobEngine, candidates: Sequence[Candidate]) -> list[ModelInfo | Model]:
    """Return the description of each candidate.

    A file of the user's is executed by a worker only.

    Raises
    ------
    InputError
        For an unknown model, or a file that cannot be executed.
    """
    names = [one.model for one in candidates if isinstance(one.model, str)]
    # Making the list takes seconds, and own models do not need it.
    infos = catalogue() if any(not is_own(name) for name in names) else ()
    known = {info.name: info for info in infos}
    jobs = {
        name: engine.submit(partial(describe, name, {}), name=f"parameters of {name}")
        for name in names
        if FileReference.of(name) is not None
    }
    try:
        known |= {name: job.result() for name, job in jobs.items()}
    finally:
        for job in jobs.values():
            job.forget()
    found: list[ModelInfo | Model] = []
    for candidate in candidates:
        model = candidate.model
        if isinstance(model, Model):
            found.append(model)
        elif is_formula(model):
            found.append(load(model))
        elif model in known:
            found.append(known[model])
        else:
            raise InputError(f"there is no model {model!r}; {nearest(model, known)}")
    return found
