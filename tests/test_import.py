"""What `import rheojobs` costs, brings and gives."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import pytest

import rheojobs
import rheojobs.engine

pytestmark = pytest.mark.promise("light-import")

QT_NAMES = {name for name, home in rheojobs._HOME_OF.items() if home.startswith("rheojobs.qt")}


def fresh(source: str) -> object:
    """Run a script in a fresh interpreter; give the JSON that it prints."""
    result = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=True, timeout=120
    )
    return json.loads(result.stdout)


def test_loads_nothing_heavy() -> None:
    loaded = fresh(
        "import json, sys; before = set(sys.modules); import rheojobs;"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    assert isinstance(loaded, list)
    assert "rheojobs" in loaded
    heavy = {"jax", "jaxlib", "numpy", "scipy", "PySide6", "matplotlib", "rheojax", "numpyro"}
    assert not {name.partition(".")[0] for name in loaded} & heavy


def test_the_engine_loads_nothing_heavy() -> None:
    loaded = fresh(
        "import json, sys; import rheojobs; rheojobs.JobEngine; rheojobs.CancellationToken;"
        "print(json.dumps(sorted(sys.modules)))"
    )
    assert isinstance(loaded, list)
    assert "rheojobs.engine.engine" in loaded
    assert not {"jax", "numpy", "scipy", "PySide6"} & set(loaded)


def test_a_worker_loads_no_engine() -> None:
    loaded = fresh(
        "import json, sys; import rheojobs.engine.executors.processes.worker_main;"
        "print(json.dumps(sorted(sys.modules)))"
    )
    assert isinstance(loaded, list)
    assert "rheojobs.engine.task" in loaded
    assert not {
        "rheojobs.engine.engine",
        "rheojobs.engine.store.job_store",
        "asyncio",
        "sqlite3",
    } & set(loaded)


def test_every_name_of_the_engine_is_there() -> None:
    assert sorted(dir(rheojobs.engine)) == sorted(rheojobs.engine.__all__)
    assert all(getattr(rheojobs.engine, name) is not None for name in rheojobs.engine.__all__)
    assert {name for names in rheojobs.engine._HOMES.values() for name in names} == set(
        rheojobs.engine.__all__
    )
    with pytest.raises(AttributeError, match=r"'rheojobs\.engine' has no attribute 'Jobb'"):
        rheojobs.engine.Jobb  # noqa: B018


@pytest.mark.alone
def test_costs_less_than_50_ms_of_processor_time() -> None:
    source = (
        "import json, time; start = time.process_time(); import rheojobs;"
        "print(json.dumps(time.process_time() - start))"
    )
    best = min(float(str(fresh(source))) for _ in range(5))
    assert best < 0.050


def test_dir() -> None:
    assert sorted(dir(rheojobs)) == sorted(rheojobs.__all__)
    assert {"JobEngine", "FitWorker", "fit", "__version__"} <= set(dir(rheojobs))
    assert set(rheojobs.__all__) == {*rheojobs._HOME_OF, "__version__"}
    assert len(set(rheojobs.__all__)) == len(rheojobs.__all__)


@pytest.mark.parametrize("name", sorted(set(rheojobs.__all__) - QT_NAMES))
def test_every_name_resolves(name: str) -> None:
    assert getattr(rheojobs, name) is not None


@pytest.mark.skipif(importlib.util.find_spec("PySide6") is None, reason="no PySide6")
def test_every_qt_name_resolves() -> None:
    # In a process of its own: without a display, loading Qt's libraries may fail hard.
    assert QT_NAMES
    names = fresh(
        "import json, rheojobs;"
        f"print(json.dumps([getattr(rheojobs, n).__name__ for n in {sorted(QT_NAMES)!r}]))"
    )
    assert names == sorted(QT_NAMES)


def test_a_name_comes_from_its_home() -> None:
    from rheojobs.engine import JobEngine

    assert rheojobs.JobEngine is JobEngine
    namespace: dict[str, object] = {}
    exec("from rheojobs import CancellationToken, InputError", namespace)
    assert {"CancellationToken", "InputError"} <= set(namespace)


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match="module 'rheojobs' has no attribute 'Workerpool'"):
        rheojobs.Workerpool  # noqa: B018
    with pytest.raises(ImportError):
        exec("from rheojobs import Workerpool")
    assert not hasattr(rheojobs, "no_such_thing")


def test_version() -> None:
    assert rheojobs.__version__.count(".") == 2
