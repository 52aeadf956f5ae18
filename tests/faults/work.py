"""The samplings of a campaign, and the application that works on them. Harms nobody."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.faults.checks import Wanted, draws, why_again
from tests.faults.child import PATIENCE, CampaignError, Child, marked, wait_until
from tests.faults.samplings import KINDS, is_durable

from rheojobs.engine import JobState
from rheojobs.engine.store.reader import StoredJob, StoreReader

__all__ = ["Work"]

OPEN = 3
"""Samplings that are under way, or wait: one more than there are workers."""


class Work:
    """Samplings on one store, of which there are always some that are not done.

    Parameters
    ----------
    folder : Path
        Of its own, for all that it and its applications write.
    seed : int
        Of what is done.
    kinds : sequence of str
        What is sampled.
    scale : float
        How many times as many draws as usual.
    """

    def __init__(
        self, folder: Path, seed: int, kinds: Sequence[str] = KINDS, scale: float = 1.0
    ) -> None:
        self._folder = folder
        self._state = folder / "state"
        (self._state / "samplings").mkdir(parents=True)
        self._store = self._state / "jobs.sqlite3"
        self._random = random.Random(seed)
        self._kinds = kinds
        self._scale = scale
        self.wanted: list[Wanted] = []
        self._open: list[Wanted] = []
        self._segments: dict[str, int] = {}
        self._undisturbed: dict[str, dict[str, Any]] = {}

    def close(self) -> None:
        """Kill what is left."""
        for process in marked(str(self._folder)):
            process.kill()

    def _begin(self) -> None:
        """Sample each kind undisturbed, then start to work."""
        self._sample_undisturbed()
        self._child = self._start()
        self._reader = StoreReader(self._store)
        self._settle(top_up=True)

    def _sample_undisturbed(self) -> None:
        store = self._folder / "undisturbed" / "jobs.sqlite3"
        child = Child(self._folder, store, self._scale)
        ids = {
            kind: child.ask("submit", kind=kind, key=kind, folder=str(self._folder / kind))["id"]
            for kind in self._kinds
        }
        with_reader = StoreReader(store)
        wait_until(
            lambda: with_reader.counts() == {JobState.SUCCEEDED: len(ids)},
            "undisturbed runs",
            4 * PATIENCE,  # they may have to compile
            every=0.2,
        )
        self._undisturbed = {kind: draws(with_reader.result(ids[kind])) for kind in ids}
        with_reader.close()
        child.leave()

    def _start(self) -> Child:
        return Child(self._folder, self._store, self._scale)

    def _settle(self, top_up: bool = False) -> None:
        """Have somebody work on each sampling that is not done."""
        if self._child.process.poll() is not None:
            self._child = self._start()
            refused = self._child.ask("take_up")["refused"]
            if refused:
                raise CampaignError("\n".join(refused))
        by_name: dict[str, list[StoredJob]] = {}
        for job in self._reader.jobs():
            by_name.setdefault(job.name, []).append(job)
        for each in list(self._open):
            jobs = by_name.get(each.key, [])
            self._check_kept(each, bool(jobs) and jobs[-1].state is JobState.SUCCEEDED)
            if not jobs:
                self._submit(each)
            elif jobs[-1].state is JobState.SUCCEEDED:
                self._open.remove(each)
            elif jobs[-1].state.is_terminal:
                why_again(jobs[-1])
                if is_durable(each.kind):  # cancelled, or in quarantine
                    self._resume(jobs[-1])
                else:
                    self._submit(each)
        while top_up and len(self._open) < OPEN:
            self._submit(self._new())

    def _resume(self, job: StoredJob) -> None:
        if refused := self._child.ask("resume", job_id=job.id).get("refused"):
            raise CampaignError(refused)

    def _is_over(self) -> bool:
        self._settle()
        return not self._open

    def _new(self) -> Wanted:
        kind = self._random.choice(self._kinds)
        key = f"{kind}-{len(self.wanted)}"
        self.wanted.append(Wanted(key, kind, self._state / "samplings" / key))
        self._open.append(self.wanted[-1])
        return self.wanted[-1]

    def _submit(self, each: Wanted, wait: bool = True) -> None:
        self._child.request("submit", kind=each.kind, key=each.key, folder=str(each.folder))
        if wait:
            self._child.answer()

    def _check_kept(self, each: Wanted, is_done: bool) -> None:
        """See that no sampling falls back behind what was kept of it."""
        numbers = [int(path.name[:6]) for path in each.folder.glob("[0-9]*.npz")]
        before, now = self._segments.get(each.key, -1), max(numbers, default=-1)
        if not is_done and now < before:
            jobs = [job for job in self._reader.jobs() if job.name == each.key]
            if jobs[-1].state is not JobState.SUCCEEDED:
                raise CampaignError(f"{each.key} had kept {before + 1} segments, now {now + 1}")
        self._segments[each.key] = now

    def _let_work(self) -> None:
        """Have somebody work on each sampling; most often until one is drawing again."""
        self._settle(top_up=True)
        if self._random.random() < 0.8:
            wait_until(
                lambda: (
                    self._settle(top_up=True)
                    or any(w["told"]["stage"] == "sampling" for w in self._workers("busy"))
                ),
                "a sampling to go on",
                every=0.1,
            )

    def _workers(self, *phases: str) -> list[dict[str, Any]]:
        """Give the workers in one of these phases; of the busy ones, with their job."""
        seen = self._child.ask("look")
        if seen["problem"]:
            raise CampaignError(f"the application cannot use its store: {seen['problem']}")
        found = [worker for worker in seen["workers"] if worker["phase"] in phases]
        for worker in found:
            worker["told"] = seen["jobs"].get(worker["job"])
        return [worker for worker in found if worker["phase"] != "busy" or worker["told"]]
