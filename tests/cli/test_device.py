"""`--device`: where the workers of a command compute."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.batches import ENDED, write_run
from tests.cli.conftest import KeptEngine

from rheojobs.cli import session
from rheojobs.cli.main import main

TIMEOUT = 60.0


@pytest.fixture(autouse=True)
def two_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    monkeypatch.setenv("XLA_FLAGS", "--xla_force_host_platform_device_count=2")


SEEN: set[str] = set()
"""In a worker: the devices of the results of its programs."""


def watch() -> None:
    """Note in this worker where the results of programs are."""
    import jax

    from rheojobs.inference.programs.exported_program import StoredProgram

    call = StoredProgram.__call__

    def watched(program: StoredProgram, *args: Any) -> Any:
        result = call(program, *args)
        for leaf in jax.tree.leaves(result):
            SEEN.update(f"{device.platform}:{device.id}" for device in leaf.devices())
        return result

    StoredProgram.__call__ = watched  # type: ignore[method-assign]


def seen() -> list[str]:
    """Return what this worker has noted."""
    return sorted(SEEN)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> tuple[int, list[str]]:
    """Run a command; return its status, and where its worker has computed."""
    engines = []
    begin = session.start_engine

    def kept(*given: Any) -> Any:
        engines.append(begin(*given))
        engines[0].submit(watch).result(TIMEOUT)
        return KeptEngine(engines[0])

    monkeypatch.setattr(session, "start_engine", kept)
    try:
        status = main([str(argument) for argument in arguments])
        return status, engines[0].submit(seen).result(TIMEOUT)
    finally:
        engines[0].shutdown()
        monkeypatch.setattr(session, "start_engine", begin)


@pytest.mark.slow
@pytest.mark.promise("same-draws")
def test_a_fit_and_its_sampling_on_either_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path / "run.csv", 1.0, 0)
    found = []
    for number in range(2):
        out = tmp_path / f"{number}.json"
        options = ["--model", "maxwell", "--device", f"cpu:{number}", "--json", out]
        options += ["--warmup", "100", "--draws", "100", "--chains", "2"]
        status, places = run(monkeypatch, "sample", tmp_path / "run.csv", *options)
        assert status in ENDED
        assert places == [f"cpu:{number}"]
        found.append(json.loads(out.read_text(encoding="utf-8")))
    draws = [each["posterior_samples"] for each in found]
    assert draws[0] == draws[1]


@pytest.mark.promise("one-line-errors")
@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("fit --device cpu:5", "there is no device 'cpu:5'; JAX finds here: cpu:0, cpu:1"),
        ("compare --device cpu:0,tpu", "there is no device 'tpu'; JAX finds here: cpu:0, cpu:1"),
        ("batch --device ,", "--device takes names such as cpu:1 or cuda:0,cuda:1; got ','"),
        ("sample --device cpu:0,cpu:1", "this command computes on one device"),
        ("fit --device cpu --cluster tcp://nobody:1", "set RHEOJOBS_DEVICE where each worker"),
    ],
)
def test_what_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, words: str
) -> None:
    write_run(tmp_path / "run.csv", 1.0, 0)
    name, *options = command.split()
    model = ["--models" if name == "compare" else "--model", "maxwell"]
    out = ["--out", str(tmp_path / "out")] if name == "batch" else []
    assert main([name, str(tmp_path / "run.csv"), *model, *options, *out]) == 2
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert line.startswith("rheojobs: ")
    assert words in line


def test_workers_take_the_devices_in_turn_and_share_a_gpus_memory() -> None:
    one_each = session._environments(["cuda:0", "cuda:1"], 2)
    assert one_each == [{"RHEOJOBS_DEVICE": "cuda:0"}, {"RHEOJOBS_DEVICE": "cuda:1"}]
    two_each = session._environments(["cuda:0", "cuda:1"], 3)
    assert [env["XLA_CLIENT_MEM_FRACTION"] for env in two_each] == ["0.375", "0.375"]
    assert session._environments([], 4) == []


def test_there_is_a_worker_for_each_device(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}

    def note(**arguments: Any) -> Callable[..., None]:
        given.update(arguments)
        raise InterruptedError

    monkeypatch.setattr(session, "ProcessExecutor", note)
    with pytest.raises(InterruptedError):
        session.start_engine((), 1, ["cuda:0", "cuda:1", "cuda:2"])
    assert given["max_workers"] == len(given["env"]) == 3
