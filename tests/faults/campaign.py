"""Kills and stops workers and applications at random moments of real samplings; then counts.

    python -m tests.faults.campaign --faults 200 --seed 1

Whatever it does: in the end each job must be accounted for, with one result and not two, with
the draws of an undisturbed run to the bit, and no process and no file may be left. What it
does follows from the seed, when it happens does not quite: processes take their own time.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil
from tests.faults.application import RENEWAL
from tests.faults.checks import complaints
from tests.faults.child import CampaignError, marked, wait_until
from tests.faults.report import Report
from tests.faults.samplings import KINDS
from tests.faults.work import Work

from rheojobs.engine import JobState

__all__ = ["Campaign", "main"]

MOMENTS = ("any", "writing a checkpoint", "ending", "storing the result")
MOMENT_SECONDS = 5.0
"""How long is waited for a moment to come: then any will do."""

AT_THE_END = ("ending", "storing the result")

FAULTS = {
    "kill a busy worker": 7,
    "kill an idle worker": 2,
    "stop a worker": 5,
    "stop a worker and cancel its job": 3,
    "kill the application": 4,
    "kill the application, a worker being stopped": 1,
    "stop the application and start another": 1,
    "kill the application at submit": 2,
}
"""How often each is tried, in proportion: some three to each life of an application."""


class Campaign(Work):
    """A number of faults, one after another, on one store.

    Parameters
    ----------
    folder, seed, kinds, scale
        As `Work` takes them.
    tell : callable
        Takes a line about each fault.
    """

    def __init__(
        self,
        folder: Path,
        seed: int,
        kinds: Sequence[str] = KINDS,
        scale: float = 1.0,
        tell: Callable[[str], object] = lambda line: None,
    ) -> None:
        super().__init__(folder, seed, kinds, scale)
        self._tell = tell
        self._shared_memory = _shared_memory()
        self.report = Report(tuple(FAULTS))

    def run(self, faults: int, seconds: float = float("inf")) -> int:
        """Do so many faults, or as many as there is time for; gives how many it were.

        Raises
        ------
        CampaignError
            In some lines, what is not as it should be.
        """
        end = time.monotonic() + seconds
        self._begin()
        done = 0
        while done < faults and time.monotonic() < end:
            (name,) = self._random.choices(list(FAULTS), list(FAULTS.values()))
            stage, moment = getattr(self, "_" + name.replace(",", "").replace(" ", "_"))()
            self.report.faults[name, stage, moment] += 1
            done += 1
            self._let_work()
            self._tell(f"{done:4}  {name}: {stage}" + f", {moment}" * (moment != "any"))
        wait_until(self._is_over, "all jobs to end", every=0.2)
        self._reader.close()
        self._child.leave()
        self._check_processes()
        found = complaints(self._folder, self.wanted, self._undisturbed)
        found += [f"left in shared memory: {name}" for name in self._left_in_shared_memory()]
        if found:
            raise CampaignError("\n".join(found))
        return done

    # ---------------------------------------------------------------- whom it hits, and when

    def _choose(self, *phases: str) -> dict[str, Any]:
        """Give a worker in one of these phases; waits until there is one."""
        found: list[dict[str, Any]] = []

        def look() -> bool:
            found[:] = self._workers(*phases)
            return bool(found)

        wait_until(look, f"a worker that is {' or '.join(phases)}")
        return self._random.choice(found)

    def _hit(self, *phases: str, spare: bool = False) -> tuple[dict[str, Any], tuple[str, str]]:
        """Choose a worker and a moment, and wait for that.

        Parameters
        ----------
        *phases : str
            In one of which the worker is.
        spare : bool
            Whether one whose job would not be started again any more is hit but seldom.

        Returns
        -------
        dict
            The worker.
        tuple of str
            The stage of its job, and the moment.
        """
        (moment,) = self._random.choices(MOMENTS, (4, 2, 1, 1))
        worker = self._choose(*phases)
        others = [other for other in self._workers("busy") if other["told"]["deaths"] < 2]
        is_spared = spare and worker["told"]["deaths"] >= 2 and self._random.random() < 0.9
        if is_spared and others:
            worker = self._random.choice(others)
        if moment in AT_THE_END and worker["phase"] == "busy" and others:
            worker = max(others, key=lambda other: other["told"]["drawn"])
        return worker, self._wait_for(moment, worker)

    def _wait_for(self, moment: str, worker: dict[str, Any]) -> tuple[str, str]:
        """Wait for a moment in the life of a worker's job; gives its stage, and the moment."""
        if worker["told"] is None:
            time.sleep(self._random.uniform(0.0, 0.5))
            return "idle", "any"
        job, told = worker["job"], worker["told"]
        sampling = self._state / "samplings" / told["name"]
        files = self._store.with_name(self._store.name + ".files") / job

        def stage() -> str:
            told = self._child.ask("look")["jobs"].get(job)
            return str(told["stage"] if told is not None else "gone")

        has_come: dict[str, tuple[Callable[[], bool], float]] = {
            "writing a checkpoint": (lambda: any(sampling.glob(".*.tmp")), 0.001),
            "ending": (lambda: stage() in ("summary", "succeeded"), 0.02),
            "storing the result": (lambda: any(files.glob("result-*")), 0.002),
        }
        if moment in has_come:
            look, every = has_come[moment]
            try:
                wait_until(look, moment, MOMENT_SECONDS, every)
            except CampaignError:
                moment = "any"
        else:
            time.sleep(self._random.uniform(0.0, 1.0))
        if moment == "writing a checkpoint":
            return "sampling", moment  # to ask would take longer than the writing
        if moment == "storing the result":
            return "stored", moment
        time.sleep(self._random.uniform(0.0, 0.1))
        return (stage() or "starting"), moment

    # ---------------------------------------------------------------- what it does

    def _kill_a_busy_worker(self) -> tuple[str, str]:
        worker, found = self._hit("busy", spare=True)
        self._kill(worker["pid"])
        return found

    def _kill_an_idle_worker(self) -> tuple[str, str]:
        worker = self._choose("idle")
        self._kill(worker["pid"])
        return "idle", "any"

    def _kill(self, pid: int) -> None:
        if _send(pid, signal.SIGKILL):
            wait_until(
                lambda: pid not in [w["pid"] for w in self._child.ask("look")["workers"]],
                "a killed worker to be noticed",
            )

    def _stop_a_worker(self) -> tuple[str, str]:
        worker, found = self._hit("busy", "idle")
        _send(worker["pid"], signal.SIGSTOP)
        time.sleep(self._random.uniform(0.1, 1.5))
        _send(worker["pid"], signal.SIGCONT)
        return found

    def _stop_a_worker_and_cancel_its_job(self) -> tuple[str, str]:
        worker, found = self._hit("busy")
        job, pid = worker["job"], worker["pid"]
        _send(pid, signal.SIGSTOP)
        self._child.ask("cancel", job_id=job)
        took = wait_until(lambda: self._reader.find(job).state.is_terminal, f"the end of {job}")
        self.report.took("a stuck job was cancelled", took)
        if self._reader.find(job).state is JobState.CANCELLED:
            wait_until(lambda: not psutil.pid_exists(pid) or self._serves(pid, job), "its worker")
        _send(pid, signal.SIGCONT)
        return found

    def _serves(self, pid: int, job: str) -> bool:
        """Say whether a worker has gone on to something else."""
        return all(w["job"] != job for w in self._child.ask("look")["workers"] if w["pid"] == pid)

    def _kill_the_application(self) -> tuple[str, str]:
        _, found = self._hit("busy")
        self._kill_application()
        return found

    def _kill_the_application_a_worker_being_stopped(self) -> tuple[str, str]:
        worker, found = self._hit("busy", "idle")
        _send(worker["pid"], signal.SIGSTOP)
        self._kill_application()
        return found

    def _kill_application(self) -> list[dict[str, Any]]:
        workers = psutil.Process(self._child.process.pid).children(recursive=True)
        heard = self._child.kill()
        took = wait_until(lambda: not any(map(_lives, workers)), "the end of its workers", 30.0)
        self.report.took("the workers of a killed application were gone", took)
        # To look at every process there is takes long: once, for those that nobody knew of.
        wait_until(lambda: not marked(str(self._folder)), "the end of what it had started", 30.0)
        return heard

    def _stop_the_application_and_start_another(self) -> tuple[str, str]:
        worker, found = self._hit("busy", spare=True)
        self._child.signal(signal.SIGSTOP)
        until = time.monotonic() + 3 * RENEWAL + self._random.uniform(0.2, 1.0)
        other = self._start()
        if "held by another program" in other.ask("look")["problem"]:
            # Stopped amid a write, the former has the store: the other says so, and does without.
            self._child.signal(signal.SIGCONT)
            other.leave()
            return found
        time.sleep(max(0.2, until - time.monotonic()))  # several looks for those that are gone
        taken = other.ask("take_up")["taken"]
        if taken:
            raise CampaignError(f"{taken} were taken from an application that only stood still")
        state = self._reader.find(worker["job"]).state
        if not state.is_terminal and "refused" not in other.ask("resume", job_id=worker["job"]):
            raise CampaignError(f"job {worker['job']} runs in two applications")
        if self._random.random() < 0.5:
            self._child.signal(signal.SIGCONT)
            other.leave()
        else:
            before = {worker.pid for worker in marked(str(self._folder))}
            former, self._child = self._child, other
            before -= {other.process.pid, *_children(other.process.pid)}
            former.kill()
            wait_until(lambda: not before & _pids(str(self._folder)), "its workers", 30.0)
            other.ask("take_up")
        return found

    def _kill_the_application_at_submit(self) -> tuple[str, str]:
        each = self._new()
        self._submit(each, wait=False)
        time.sleep(self._random.uniform(0.0, 0.06))
        heard = self._kill_application()
        names = [job.name for job in self._reader.jobs()]
        if heard and each.key not in names:
            raise CampaignError(f"{each.key} was submitted, and is not in the store")
        return "submitted" if heard else "submitting", "any"

    # ---------------------------------------------------------------- what is left

    def _check_processes(self) -> None:
        wait_until(lambda: not marked(str(self._folder)), "all processes to end", 10.0)

    def _left_in_shared_memory(self) -> set[str]:
        return {name for name in _shared_memory() - self._shared_memory if "rheojobs" in name}


def _shared_memory() -> set[str]:
    folder = Path("/dev/shm")
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def _pids(mark: str) -> set[int]:
    return {process.pid for process in marked(mark)}


def _children(pid: int) -> set[int]:
    return {child.pid for child in psutil.Process(pid).children(recursive=True)}


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _send(pid: int, number: signal.Signals) -> bool:
    """Send a signal; False where the process is gone."""
    try:
        psutil.Process(pid).send_signal(number)
    except psutil.NoSuchProcess:
        return False
    return True


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a campaign, and say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.campaign", description=__doc__)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=30.0, help="no more faults after that")
    parser.add_argument("--scale", type=float, default=1.0, help="times as many draws")
    parser.add_argument("--report", type=Path, help="where to write the counts, as JSON")
    given = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="rheojobs-faults-"))

    def tell(line: str) -> None:
        print(line, flush=True)

    campaign = Campaign(folder, given.seed, scale=given.scale, tell=tell)
    failure = ""
    start = time.monotonic()
    try:
        campaign.run(given.faults, 60.0 * given.minutes)
    except AssertionError as error:
        failure = str(error)
    finally:
        campaign.close()
    done = sum(campaign.report.faults.values())
    print("\n".join(campaign.report.lines()))
    print(
        f"{done} faults, seed {given.seed}, {len(campaign.wanted)} samplings,"
        f" {(time.monotonic() - start) / 60:.1f} min"
    )
    if given.report is not None:
        outcome = {"seed": given.seed, "samplings": len(campaign.wanted), "failure": failure}
        given.report.write_text(json.dumps(outcome | campaign.report.as_dict(), indent=1) + "\n")
    if failure:
        again = f"python -m tests.faults.campaign --faults {done + 1} --seed {given.seed}"
        print(f"FAILED\n{failure}\nagain: {again}\nleft to look at: {folder}", file=sys.stderr)
        return 1
    shutil.rmtree(folder)
    print("every job accounted for, every draw as undisturbed, nothing left over")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
