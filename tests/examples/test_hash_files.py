"""The example of an engine without JAX or Qt is short and works."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "examples" / "hash_files.py"


def run(*arguments: str | Path, code: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *(["-c", code] if code else [str(SCRIPT)]), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


def test_it_hashes(tmp_path: Path) -> None:
    contents = {"a.bin": os.urandom(3_000_000), "empty": b"", "b.txt": b"G0\n"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    done = run(*(tmp_path / name for name in contents), tmp_path / "missing")
    lines = done.stdout.splitlines()
    for line, (name, content) in zip(lines, contents.items(), strict=False):
        assert line == f"{hashlib.sha256(content).hexdigest()} {tmp_path / name}"
    assert "No such file" in lines[3]
    assert f"{tmp_path / 'a.bin'}: 3,000,000 B" in done.stderr  # the last report is never dropped


def test_it_is_short() -> None:
    assert len(SCRIPT.read_text().splitlines()) < 30


def test_it_loads_neither_jax_nor_qt() -> None:
    code = (
        "import runpy, sys; runpy.run_path(sys.argv[1], run_name='__main__'); "
        "found = {'jax', 'numpy', 'PySide6', 'rheojax'} & set(sys.modules); assert not found, found"
    )
    run(SCRIPT, code=code)
