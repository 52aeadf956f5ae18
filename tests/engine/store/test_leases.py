"""Who lives is told by a lock that the kernel holds, on one machine; nothing else is guessed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.engine import chores, helpers

from rheojobs.engine import FunctionTask, JobState, JobStore, Progress
from rheojobs.engine.errors import StoreElsewhereError
from rheojobs.engine.serialization import record_of
from rheojobs.engine.store import StoreReader, filesystems, leases, reader
from rheojobs.engine.store.locks import FileLock, is_locked

S = JobState
TASK = record_of(FunctionTask(chores.add, (1.0,)))
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and forks")

ENGINE = """
import os, subprocess, sys, time, uuid
from rheojobs.engine import JobState, JobStore
store = JobStore(sys.argv[1])
store.join()
job_id = str(uuid.uuid4())
store.add(job_id, "job", None, not_durable_because="a lambda")
store.move(job_id, JobState.RUNNING)
{more}
print(job_id, flush=True)
input()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.sqlite3"


@pytest.fixture
def start(path: Path) -> Iterator[Callable[..., tuple[subprocess.Popen[str], list[str]]]]:
    """Start an engine with a running job in a process of its own; gives what it prints."""
    started: list[subprocess.Popen[str]] = []

    def start(more: str = "") -> tuple[subprocess.Popen[str], list[str]]:
        process = subprocess.Popen(
            [sys.executable, "-c", ENGINE.format(more=more), str(path)],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline().split()

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.promise("on-disk-when-submitted")
class TestProcesses:
    @POSIX
    def test_killed_and_stopped(
        self, path: Path, start: Callable[..., tuple[subprocess.Popen[str], list[str]]]
    ) -> None:
        process, (job_id,) = start()
        with JobStore(path) as store:
            assert store.find(job_id).pid == process.pid
            assert store.recover() == []
            process.send_signal(signal.SIGSTOP)
            assert store.recover() == [], "it stands still, and may go on"
            process.kill()
            helpers.wait_until(lambda: store.recover() == [job_id])  # a zombie, as yet
            assert store.find(job_id).message.startswith("the application that ran it ended")
            assert not list((path.parent / "jobs.sqlite3.files" / "locks").iterdir())

    @POSIX
    @pytest.mark.parametrize(
        "child",
        [
            "child = subprocess.Popen(['sleep', '60']).pid",
            "child = subprocess.Popen(['sleep', '60'], close_fds=False).pid",
            "child = os.fork()\nif not child: time.sleep(60)",
        ],
        ids=["subprocess", "with open files", "fork"],
    )
    def test_what_it_has_started_does_not_keep_the_lock(
        self, path: Path, start: Callable[..., tuple[subprocess.Popen[str], list[str]]], child: str
    ) -> None:
        process, (number, job_id) = start(f"{child}\nprint(child, end=' ')")
        try:
            with JobStore(path) as store:
                assert store.recover() == []
                process.kill()
                process.wait()
                os.kill(int(number), 0)  # it is there
                helpers.wait_until(lambda: store.recover() == [job_id], 5.0)
        finally:
            os.kill(int(number), signal.SIGKILL)

    def test_closed_without_leaving(self, path: Path) -> None:
        with JobStore(path) as store:
            store.join()
            store.add(job_id := str(uuid.uuid4()), "job", TASK)
        with JobStore(path) as other:
            assert other.recover() == [job_id]


class TestLocks:
    def test_one_holder_in_one_process_too(self, tmp_path: Path) -> None:
        lock, other = FileLock(tmp_path / "x.lock"), FileLock(tmp_path / "x.lock")
        assert not is_locked(lock.path)
        lock.acquire()
        lock.acquire()
        assert is_locked(lock.path)
        with pytest.raises(OSError, match="held by another program"):
            other.acquire()
        lock.release()
        lock.release()
        assert not lock.path.exists()
        other.acquire()
        assert is_locked(lock.path)
        other.release()

    def test_those_who_ask_do_not_disturb(self, tmp_path: Path) -> None:
        (tmp_path / "x.lock").touch()
        first = os.open(tmp_path / "x.lock", os.O_RDWR)
        from rheojobs.engine.store import locks

        assert locks._lock(first, is_shared=True)
        assert not is_locked(tmp_path / "x.lock")
        os.close(first)

    @pytest.mark.skipif(os.name != "posix", reason="modes")
    def test_one_that_cannot_be_asked_counts_as_held(self, tmp_path: Path) -> None:
        (tmp_path / "x.lock").mkdir()
        assert is_locked(tmp_path / "x.lock")


class TestTakenForDead:
    def test_one_that_comes_back(self, path: Path) -> None:
        """A person, or a program that tidies up, has removed the file of its lock."""
        with JobStore(path) as sleeper, JobStore(path) as other:
            sleeper.join()
            other.join()
            mine, waiting = str(uuid.uuid4()), str(uuid.uuid4())
            for job_id in (mine, waiting):
                sleeper.add(job_id, "job", TASK)
            sleeper.move(mine, S.RUNNING)
            lock = path.parent / "jobs.sqlite3.files" / "locks" / f"{sleeper.owner.id}.lock"
            lock.unlink()
            sleeper.renew()
            assert lock.exists()
            assert other.recover() == [], "it was quick enough"
            lock.unlink()
            assert other.recover() == [mine, waiting]
            assert other.take(mine) is S.QUEUED
            report = Progress(1, 2, "", "", {})
            assert not sleeper.put_progress(mine, report), "it learns that the job is not its own"
            assert sleeper.put_progress(mine, report) == sleeper.move(mine, S.PAUSED)
            new = str(uuid.uuid4())
            sleeper.add(new, "job", TASK)
            assert sleeper.take(waiting) is S.QUEUED
            assert other.recover() == []
            owners = {job.id: job.owner for job in other.jobs()}
            assert owners == {
                mine: other.owner.id,
                waiting: sleeper.owner.id,
                new: sleeper.owner.id,
            }


@pytest.mark.promise("own-folder")
class TestOtherMachines:
    @pytest.fixture
    def job_id(self, path: Path) -> str:
        """A running job of an engine whose machine is another, and whose lock cannot be seen."""
        with JobStore(path) as store:
            store.join()
            job_id = str(uuid.uuid4())
            store.add(job_id, "job", TASK)
            store.move(job_id, S.RUNNING)
            self.lock = path.parent / "jobs.sqlite3.files" / "locks" / f"{store.owner.id}.lock"
            store._db.execute("UPDATE engines SET machine = 'm2', boot = 'b2', host = 'node-b'")
        self.lock.touch()
        return job_id

    def test_its_jobs_are_left_alone(self, path: Path, job_id: str) -> None:
        with pytest.raises(StoreElsewhereError, match="in use on node-b: use it there") as caught:
            JobStore(path)
        assert caught.value.is_lasting
        assert "\n" not in str(caught.value)
        assert "RHEOJOBS_STATE_DIR" in str(caught.value)
        with StoreReader(path) as read:
            assert read.find(job_id).state is S.RUNNING

    def test_one_that_comes_later(self, path: Path) -> None:
        with JobStore(path) as store, JobStore(path) as other:
            other.join()
            other.add(job_id := str(uuid.uuid4()), "job", TASK)
            other._db.execute("UPDATE engines SET machine = 'm2', boot = 'b2'")
            other.close()  # its lock, which cannot be seen from here
            lock = path.parent / "jobs.sqlite3.files" / "locks" / f"{other.owner.id}.lock"
            lock.touch()
            assert store.recover() == []
            assert store.find(job_id).owner == other.owner.id
            with pytest.raises(StoreElsewhereError, match="in use on"):
                store.join()

    def test_who_removes_the_lock_says_that_it_is_gone(self, path: Path, job_id: str) -> None:
        with pytest.raises(StoreElsewhereError, match=f"remove '{self.lock}'"):
            JobStore(path)
        self.lock.unlink()
        with JobStore(path) as store:
            assert store.recover() == [job_id]
            assert store.find(job_id).state is S.INTERRUPTED

    def test_after_a_restart_of_this_machine(self, path: Path) -> None:
        with JobStore(path) as store:
            store.join()
            store.add(job_id := str(uuid.uuid4()), "job", TASK)
            store._db.execute("UPDATE engines SET boot = 'before'")
        with JobStore(path) as store:
            assert store.recover() == [job_id]

    def test_a_container_of_this_kernel(self, path: Path) -> None:
        if not leases._boot():
            pytest.skip("this kernel does not say which it is")
        with JobStore(path) as inside, JobStore(path) as outside:
            inside.join()
            inside.add(job_id := str(uuid.uuid4()), "job", TASK)
            inside._db.execute("UPDATE engines SET machine = 'a container'")
            assert outside.recover() == []
            outside.join()
            inside.close()
            assert outside.recover() == [job_id]


@pytest.mark.promise("own-folder")
class TestNetworkFileSystems:
    @pytest.fixture
    def on_a_network(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
        """A store that was used on the machine to which the disk belongs."""
        with JobStore(path) as store:
            store.join()
            store.add(job_id := str(uuid.uuid4()), "job", TASK)
            store.move(job_id, S.RUNNING)
            from rheojobs.engine.store import job_store

            for module in (job_store, reader):
                monkeypatch.setattr(module, "network_type", lambda folder: "nfs4")
            yield job_id

    def test_is_refused_and_read(self, path: Path, on_a_network: str) -> None:
        before = path.read_bytes(), path.with_name(path.name + "-wal").read_bytes()
        with pytest.raises(StoreElsewhereError, match=r"network file system \(nfs4\)") as caught:
            JobStore(path)
        assert "set RHEOJOBS_STATE_DIR to a folder on a disk of this machine" in str(caught.value)
        with StoreReader(path) as read:
            assert read.find(on_a_network).state is S.RUNNING, "what is in the log is there too"
            assert record_of(read.task(on_a_network)) == TASK
        assert (path.read_bytes(), path.with_name(path.name + "-wal").read_bytes()) == before

    def test_a_store_that_is_not_there(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reader, "network_type", lambda folder: "nfs4")
        with StoreReader(tmp_path / "home" / "jobs.sqlite3") as read:
            assert read.jobs() == []
        assert not (tmp_path / "home").exists()

    @pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
    @pytest.mark.parametrize(
        ("folder", "kind"),
        [
            ("/home/me/state", "nfs4"),
            ("/home", "nfs4"),
            ("/homes/me", "ext4"),
            ("/mnt/my disk/x", "fuse.sshfs"),
            ("/srv/auto/a", "cifs"),
            ("/scratch/x", "lustre"),
            ("/", "ext4"),
        ],
    )
    def test_mounts(self, tmp_path: Path, folder: str, kind: str) -> None:
        mounts = tmp_path / "mountinfo"
        mounts.write_text(
            "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
            "31 27 0:21 / /home rw shared:3 master:4 - nfs4 server:/home rw\n"
            "32 27 0:22 / /mnt/my\\040disk rw - fuse.sshfs me@there: rw\n"
            "33 27 0:23 / /srv/auto rw - autofs systemd-1 rw\n"
            "34 33 0:24 / /srv/auto rw - cifs //server/share rw\n"
            "35 27 0:25 / /scratch rw - lustre mgs@tcp:/lustre rw\n"
        )
        assert filesystems._type_on_linux(Path(folder), mounts) == kind

    @pytest.mark.parametrize(
        ("kind", "is_network"),
        [
            *((kind, True) for kind in ("nfs4", "fuse.sshfs", "cifs", "lustre", "smb3")),
            *((kind, False) for kind in ("ext4", "overlay", "tmpfs", "fuseblk", "fuse.gocryptfs")),
        ],
    )
    def test_types(self, monkeypatch: pytest.MonkeyPatch, kind: str, is_network: bool) -> None:
        monkeypatch.setattr(filesystems, "_type_on_linux", lambda folder: kind)
        monkeypatch.setattr(filesystems, "_type_elsewhere", lambda folder: kind)
        assert bool(filesystems.network_type(Path("/x"))) is is_network

    def test_this_folder_is_none(self, tmp_path: Path) -> None:
        assert filesystems.network_type(tmp_path) == ""


def test_the_engine_says_who_it_is(path: Path) -> None:
    with JobStore(path) as store:
        store.join()
        (row,) = store._db.rows("SELECT id, pid FROM engines")
        assert row == (store.owner.id, os.getpid())
        assert json.dumps(store.owner.host)
