"""A store is its owner's alone: nobody else reads it, and one that others may write is refused."""

from __future__ import annotations

import os
import stat
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rheojobs.engine import JobState, JobStore, StoreError
from rheojobs.engine.serialization import Record
from rheojobs.engine.store import StoreReader, permissions
from rheojobs.engine.store.payloads import INLINE_BYTES

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="modes of files"),
    pytest.mark.promise("own-folder"),
]

RESULT = Record("rheojobs.x:Y", None, {"draws": b"x" * (INLINE_BYTES + 1)})


@pytest.fixture(params=[0o022, 0o000, 0o077, 0o277], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def use(path: Path) -> None:
    """Open a store, and put into it what makes all of its files."""
    with JobStore(path) as store:
        store.join()
        store.add(job_id := str(uuid.uuid4()), "job", RESULT)
        store.move(job_id, JobState.RUNNING)
        store.put(job_id, "result", RESULT)
        for item in [path.parent, *path.parent.rglob("*")]:
            mode = stat.S_IMODE(item.stat().st_mode)
            assert mode == (0o700 if item.is_dir() else 0o600), item
        store.move(job_id, JobState.SUCCEEDED)
        store.leave()


def test_all_is_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    use(tmp_path / "state" / "rheojobs" / "jobs.sqlite3")
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o755, 0o777 | stat.S_ISVTX])
def test_a_folder_of_the_users_own_stays_as_it_is(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "study"
    folder.mkdir()
    folder.chmod(mode)
    with JobStore(folder / "study.sqlite3") as store:
        store.join()
    assert stat.S_IMODE(folder.stat().st_mode) == mode
    assert stat.S_IMODE((folder / "study.sqlite3").stat().st_mode) == 0o600


@pytest.mark.parametrize("what", ["jobs.sqlite3", "jobs.sqlite3.files", "."])
@pytest.mark.parametrize("bits", [0o002, 0o020])
@pytest.mark.parametrize("opens", [JobStore, StoreReader])
def test_what_others_may_write_is_refused(
    tmp_path: Path, what: str, bits: int, opens: Callable[..., StoreReader], monkeypatch
) -> None:
    monkeypatch.setattr(permissions, "_is_private_group", lambda group: False)
    path = tmp_path / "state" / "jobs.sqlite3"
    use(path)
    item = path.parent / what
    item.chmod(item.stat().st_mode | bits)

    def touch() -> None:
        with opens(path) as store:
            if isinstance(store, JobStore):
                store.join()

    if what.endswith(".files") and opens is StoreReader:
        touch()  # it touches no file there
        return
    with pytest.raises(StoreError, match=r"others may write to it: chmod go-w '") as caught:
        touch()
    assert caught.value.is_lasting
    assert "\n" not in str(caught.value)
    item.chmod(item.stat().st_mode & ~0o022)
    touch()


def test_a_log_that_somebody_has_put_there(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite3"
    path.with_name("jobs.sqlite3-wal").touch()
    path.with_name("jobs.sqlite3-wal").chmod(0o666)
    with pytest.raises(StoreError, match=r"chmod go-w '.*-wal'"):
        JobStore(path)


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("what", ["jobs.sqlite3", "jobs.sqlite3.files"])
def test_what_is_another_users(tmp_path: Path, what: str) -> None:
    path = tmp_path / "jobs.sqlite3"
    with JobStore(path) as store:
        store.join()
    os.chown(tmp_path / what, 65534, 65534)
    with pytest.raises(StoreError, match="is not yours"), JobStore(path) as store:
        store.join()


def test_a_group_of_this_user_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    import grp
    import pwd

    me = pwd.getpwuid(os.getuid())
    members: list[str] = []

    def group(number: int) -> object:
        return grp.struct_group((name, "x", number, members))

    monkeypatch.setattr(grp, "getgrgid", group)
    name = me.pw_name
    assert permissions._is_private_group(me.pw_gid)
    assert not permissions._is_private_group(me.pw_gid + 1)
    members.append("somebody")
    assert not permissions._is_private_group(me.pw_gid)
    members.clear()
    name = "lab"
    assert not permissions._is_private_group(me.pw_gid)
