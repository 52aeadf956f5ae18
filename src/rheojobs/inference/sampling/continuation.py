"""Continue a sampling: from a result, from a checkpoint, after a pause or a crash.

Converts chains to the named arrays of a `Segment`, and back. The key of the random numbers is part
of a chain's state, so that later draws equal those of an undisturbed sampling.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from rheojobs.engine.task import TaskContext
from rheojobs.errors import InputError
from rheojobs.inference.models.code_digest import code_digest
from rheojobs.inference.posterior.priors import NamedPrior, prior_of
from rheojobs.inference.problem.problem import Problem
from rheojobs.inference.results.segments import Segment
from rheojobs.inference.sampling.chains import Chain, Snapshot, joined
from rheojobs.inference.sampling.checkpoints import Checkpoints
from rheojobs.inference.sampling.nuts import ChainState, Draws
from rheojobs.inference.sampling.options import MAX_TREE_DEPTH
from rheojobs.inference.sampling.settings import SampleSettings
from rheojobs.inference.sampling.starts import Starts
from rheojobs.inference.sampling.warmup.curved_whitening import Bend
from rheojobs.inference.sampling.warmup.whitening import Geometry

__all__ = ["Keeper", "Restored", "fingerprint", "packed", "unpacked"]

logger = logging.getLogger(__name__)

CHECKPOINT_SECONDS = 5.0

_BEND = "bend_"


@dataclass(frozen=True, eq=False)
class Restored:
    """The state from which a sampling continues.

    Attributes
    ----------
    starts : Starts
        The coordinates of the chains, and where they started.
    snapshots : sequence of Snapshot
        The state and the draws of each chain.
    """

    starts: Starts
    snapshots: Sequence[Snapshot]


def packed(starts: Starts, snapshots: Sequence[Snapshot]) -> Segment:
    """Convert chains, their draws and their coordinates to plain arrays."""
    lengths, draws = _pack_draws([snapshot.parts for snapshot in snapshots])
    done = [snapshot.done for snapshot in snapshots]
    meta = {"lengths": lengths, "done": done, "starts": starts.report}
    return Segment(meta, _pack_starts(starts) | _pack_states(snapshots) | draws)


def unpacked(segment: Segment) -> Restored:
    """Return the arguments of `packed`."""
    starts = _unpack_starts(segment)
    states = _unpack_states(segment.arrays, starts.geometries[0].center.size)
    parts = _unpack_draws(segment.meta["lengths"], segment.arrays)
    done = segment.meta["done"]
    snapshots = [Snapshot(*chain) for chain in zip(states, done, parts, strict=True)]
    return Restored(starts, snapshots)


def _pack_starts(starts: Starts) -> dict[str, NDArray[Any]]:
    """Stack the chains' coordinates, with those of different chains on the first axis."""
    return {
        name: np.stack(column)
        for name, *column in zip(
            ("center", "scale", *(_BEND + name for name in Bend._fields)),
            *((each.center, each.scale, *each.bend) for each in starts.geometries),
            strict=True,
        )
    }


def _unpack_starts(segment: Segment) -> Starts:
    arrays = segment.arrays
    geometries = [
        Geometry(
            arrays["center"][k],
            arrays["scale"][k],
            Bend(*(arrays[_BEND + name][k] for name in Bend._fields)),
        )
        for k in range(len(arrays["center"]))
    ]
    places = segment.meta["starts"]["chains"]
    if len(geometries) > 1:  # chains of one maximum share its coordinates
        first = {place: geometries[places.index(place)] for place in places}
        geometries = [first[place] for place in places]
    return Starts(tuple(geometries), segment.meta["starts"])


def _leaves(state: ChainState) -> list[NDArray[Any]]:
    return [np.asarray(leaf) for leaf in jax.tree.leaves(state)]


def _pack_states(snapshots: Sequence[Snapshot]) -> dict[str, NDArray[Any]]:
    """Stack the chains' states into one array for each field, with chains on the first axis."""
    columns = zip(*(_leaves(snapshot.state) for snapshot in snapshots), strict=True)
    return {f"state_{k:02d}": np.stack(column) for k, column in enumerate(columns)}


def _unpack_states(arrays: Mapping[str, NDArray[Any]], dimension: int) -> list[ChainState]:
    structure = jax.tree.structure(ChainState.at(np.zeros(dimension)))
    columns = [arrays[name] for name in sorted(arrays) if name.startswith("state_")]
    if columns[-1].ndim > 1:  # keys as they were before
        raise InputError(
            "these chains were drawn by an earlier version of rheojobs: this one cannot continue "
            "them; sample again, to another folder if one is given"
        )
    return [
        jax.tree.unflatten(structure, [column[chain] for column in columns])
        for chain in range(len(columns[0]))
    ]


def _pack_draws(parts: Sequence[Sequence[Draws]]) -> tuple[list[int], dict[str, NDArray[Any]]]:
    """Concatenate the draws of all chains; return also how many each chain has."""
    lengths = [sum(len(part.energy) for part in chain) for chain in parts]
    every = [part for chain in parts for part in chain]
    if not every:
        return lengths, {}
    return lengths, {f"draws_{name}": column for name, column in joined(every)._asdict().items()}


def _unpack_draws(lengths: Sequence[int], arrays: Mapping[str, NDArray[Any]]) -> list[list[Draws]]:
    ends = np.cumsum(lengths)
    chains: list[list[Draws]] = []
    for end, length in zip(ends, lengths, strict=True):
        columns = (arrays[f"draws_{name}"][end - length : end] for name in Draws._fields if length)
        chains.append([Draws(*columns)] if length else [])
    return chains


class Keeper:
    """Stores a sampling on disk while it runs, and resumes it.

    Parameters
    ----------
    settings : SampleSettings
        Names the folder, or holds chains to continue.
    problem : Problem
        The model and the data.
    context : TaskContext
        Resolves the folder on this machine, and is notified of the files written there.
    """

    def __init__(self, settings: SampleSettings, problem: Problem, context: TaskContext) -> None:
        self._settings = settings
        self._fingerprint = fingerprint(settings, problem)
        self._checkpoints = (
            None
            if settings.checkpoint is None
            else Checkpoints(context.folder(settings.checkpoint), told=context.kept)
        )
        self._starts: Starts | None = None
        self._has_plan = False
        self._kept_parts: list[int] = []
        self._kept_done: list[int] = []
        self._due = time.monotonic() + CHECKPOINT_SECONDS
        self._was_paused = False

    @property
    def folder(self) -> str:
        """Where the sampling is stored; empty if it is not."""
        if self._checkpoints is None or not self._has_plan:
            return ""
        return str(self._settings.checkpoint)

    def restore(self) -> tuple[Restored | None, str]:
        """Return the state to continue from, and notes on damaged files."""
        restored, note = self._from_folder()
        if restored is None and self._settings.continues is not None:
            restored = unpacked(self._settings.continues)
        return restored, note

    def _from_folder(self) -> tuple[Restored | None, str]:
        if self._checkpoints is None:
            return None, ""
        plan = self._checkpoints.read_plan()
        if plan is None:
            return None, ""
        if others := _others(plan.meta["fingerprint"], self._fingerprint):
            raise InputError(
                f"{self._settings.checkpoint} holds a sampling with other {others}: give "
                "another folder, or remove it"
            )
        starts = _unpack_starts(plan)
        segments, note = self._checkpoints.read_segments(self._follows)
        if not segments:
            return None, note  # restart with a new plan: its coordinates belong to the states
        states = _unpack_states(segments[-1].arrays, starts.geometries[0].center.size)
        self._has_plan = True
        parts: list[list[Draws]] = [[] for _ in states]
        for segment in segments:
            new = _unpack_draws(segment.meta["lengths"], segment.arrays)
            for chain, more in zip(parts, new, strict=True):
                chain.extend(more)
        done = segments[-1].meta["done"]
        snapshots = [
            Snapshot(state, steps, [joined(chain)] if chain else [])
            for state, steps, chain in zip(states, done, parts, strict=True)
        ]
        self._kept_parts = [len(snapshot.parts) for snapshot in snapshots]
        self._kept_done = list(done)
        logger.info("continuing from %s", self._settings.checkpoint)
        return Restored(starts, snapshots), note

    def _follows(self, before: Segment | None, segment: Segment) -> bool:
        """Return whether a segment begins where the one before it ended.

        It does not if two processes have stored the same sampling at the same time.
        """
        begin, end = (
            np.maximum(np.array(each.meta["done"]) - self._settings.num_warmup, 0) if each else 0
            for each in (before, segment)
        )
        return bool(np.array_equal(segment.meta["lengths"], end - begin))

    def describe(self, starts: Starts) -> None:
        """Set the content of the plan, which is written with the first segment."""
        self._starts = starts

    def tick(self, chains: Sequence[Chain], paused: bool) -> None:
        """Store new draws if it is time, or if the sampling has just been paused."""
        just_paused = paused and not self._was_paused
        self._was_paused = paused
        if just_paused or time.monotonic() >= self._due:
            self.save(chains)

    def save(self, chains: Sequence[Chain]) -> None:
        """Append the chains' draws since the last time."""
        if self._checkpoints is None or self._starts is None:
            return
        snapshots = [chain.snapshot() for chain in chains]
        done = [snapshot.done for snapshot in snapshots]
        if done == self._kept_done:
            self._due = time.monotonic() + CHECKPOINT_SECONDS
            return
        known = self._kept_parts or [0] * len(snapshots)
        lengths, draws = _pack_draws(
            [snapshot.parts[count:] for snapshot, count in zip(snapshots, known, strict=True)]
        )
        try:
            if not self._has_plan:
                self._checkpoints.begin(self._plan())
                self._has_plan = True
            meta = {"lengths": lengths, "done": done}
            self._checkpoints.append(Segment(meta, _pack_states(snapshots) | draws))
        except OSError as error:  # a full disk, or a folder that may not be written
            logger.warning(
                "the sampling cannot be stored in %s: %s", self._settings.checkpoint, error
            )
        else:
            self._kept_parts = [len(snapshot.parts) for snapshot in snapshots]
            self._kept_done = done
        self._due = time.monotonic() + CHECKPOINT_SECONDS

    def done(self, chains: Sequence[Chain], is_tidied: bool) -> None:
        """Finish when all is drawn: remove the checkpoint, or leave it for the engine to remove."""
        if self._checkpoints is None:
            return
        if self._settings.keep_checkpoint:
            self.save(chains)
        elif not is_tidied:
            self._checkpoints.remove()
        elif self._has_plan:
            self.save(chains)  # the result is not stored yet, and may still be lost

    def _plan(self) -> Segment:
        assert self._starts is not None
        task = self._settings.task
        meta = {"fingerprint": self._fingerprint, "task": task.meta, "starts": self._starts.report}
        return Segment(meta, _pack_starts(self._starts) | task.arrays)


def fingerprint(settings: SampleSettings, problem: Problem) -> dict[str, str]:
    """Return digests of all that the draws depend on, by what it is; to the bit.

    The number of draws is not part of it.
    """
    data, model = problem.dataset, problem.model
    # The key of a user's function holds only in one process: its code holds in all.
    own = model.key if model.key[0] == "rheojax" else (model.name, code_digest(model.function))
    facts: dict[str, Any] = {
        "model or test": (own, model.parameters, problem.test_mode, _exact(problem.protocol)),
        "priors": (
            sorted((name, _prior_facts(name, given)) for name, given in settings.priors.items()),
            settings.default_priors,
        ),
        "settings": (
            _exact(settings.warm_start),
            [_exact(place) for place in settings.other_starts],
            int(settings.num_warmup),
            int(settings.num_chains),
            int(settings.seed),
            settings.target_accept and float(settings.target_accept),
            settings.likelihood,
            _exact(settings.fixed),
            sorted((name, *map(float, ends)) for name, ends in settings.bounds.items()),
            # Checkpoints from before this option hold the digest without it.
            *({settings.max_tree_depth} - {MAX_TREE_DEPTH}),
        ),
    }
    digests = {name: hashlib.sha256(repr(told).encode()) for name, told in facts.items()}
    digests["data"] = hashlib.sha256(data.x.tobytes() + data.y.tobytes())
    if settings.likelihood == "sigma" and data.sigma is not None:
        digests["data"].update(data.sigma.tobytes())
    return {name: digest.hexdigest() for name, digest in digests.items()}


def _prior_facts(name: str, given: Any) -> tuple[str, Any]:
    """Return the kind of a prior and all of its numbers, exactly."""
    prior = prior_of(name, given)
    if isinstance(prior, NamedPrior):
        return prior.type, _exact(prior.arguments)
    # The words of a distribution round its numbers.
    return prior.words, [np.asarray(leaf).tolist() for leaf in jax.tree.leaves(prior)]


def _exact(values: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Return named numbers in order, as plain ones, whose text has all digits."""
    return sorted((name, float(value)) for name, value in values.items())


def _others(kept: Any, now: Mapping[str, str]) -> str:
    """Say in which respects a stored sampling differs; of an earlier version nothing is known."""
    known = kept if isinstance(kept, Mapping) else {}
    return " and ".join(name for name, digest in now.items() if known.get(name) != digest)
