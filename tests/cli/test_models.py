"""`rheojobs models`: the list, quickly, without JAX."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from rheojobs import catalogue


@pytest.fixture(scope="module", autouse=True)
def known_models() -> None:
    catalogue()  # on disk from here on


def test_the_list_names_each_model_and_its_parameters(rheojobs):
    ran = rheojobs("models")
    assert ran.status == 0
    assert ran.stderr == ""
    names = [line.split()[0] for line in ran.stdout.splitlines() if line.strip()]
    assert {"maxwell", "fractional_maxwell_liquid", "herschel_bulkley"} <= set(names)
    assert f"{len(catalogue())} models" in ran.stdout
    assert "sigma_y, eta_p" in ran.stdout


def test_a_mode_keeps_the_models_that_describe_it(rheojobs):
    told = json.loads(rheojobs("models", "--mode", "flow", "--json").stdout)
    names = {entry["name"] for entry in told}
    assert "carreau" in names
    assert "springpot" not in names
    assert all("flow_curve" in entry["test_modes"] for entry in told)


def test_one_model_is_shown_with_units_and_bounds(rheojobs):
    ran = rheojobs("models", "maxwell")
    assert ran.status == 0
    assert "Pa·s" in ran.stdout
    assert "1.0×10⁹" in ran.stdout


def test_json_holds_all_that_is_known(rheojobs):
    told = {entry["name"]: entry for entry in json.loads(rheojobs("models", "--json").stdout)}
    assert len(told) == len(catalogue())
    first = told["maxwell"]["parameters"][0]
    assert (first["name"], first["unit"]) == ("G0", "Pa")


@pytest.mark.parametrize("arguments", [("--mode", "flo_curv"), ("maxvell",)])
def test_an_unknown_name_is_refused_with_the_nearest(rheojobs, arguments):
    ran = rheojobs("models", *arguments)
    assert ran.status == 2
    assert ran.stdout == ""
    assert "did you mean" in ran.error


def test_the_list_that_is_known_costs_neither_jax_nor_a_worker():
    program = (
        "import sys\n"
        "from rheojobs.cli.main import main\n"
        "assert main(['models', '--json']) == 0\n"
        "heavy = {'jax', 'numpyro', 'rheojax', 'nlsq', 'matplotlib', 'rheojobs.engine'}\n"
        "print(sorted(heavy & sys.modules.keys()), file=sys.stderr)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stderr.strip() == "[]"


@pytest.mark.skipif(sys.platform == "win32", reason="pipes end otherwise there")
def test_a_reader_that_leaves_early_brings_no_traceback():
    command = f"{sys.executable} -m rheojobs models --json | head -c 10"
    ran = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=True, timeout=60
    )
    assert len(ran.stdout) == 10
    assert ran.stderr == ""


@pytest.mark.parametrize("words", [["models", "--json"], ["jobs", "list"], ["--help"]], ids=str)
def test_a_reader_that_leaves_early_on_windows(words, tmp_path):
    """It raises another error there, also of the flush at the end."""
    script = """
import io, os, sys

class Gone(io.RawIOBase):
    def writable(self): return True
    def fileno(self): return 1
    def write(self, data):
        if os.fstat(1).st_rdev != os.stat(os.devnull).st_rdev:
            raise OSError(22, "Invalid argument")
        return len(data)

sys.stdout = io.TextIOWrapper(io.BufferedWriter(Gone()), encoding="utf-8")
from rheojobs.cli import main
main.GONE = (22,)
sys.exit(main.main(sys.argv[1:]))
"""
    ran = subprocess.run(
        [sys.executable, "-c", script, *words], capture_output=True, text=True, timeout=60
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", "")


def test_the_list_is_made_where_it_is_not_known(rheojobs, monkeypatch, tmp_path):
    monkeypatch.setenv("RHEOJOBS_CACHE_DIR", str(tmp_path))
    ran = rheojobs("models", "maxwell")
    assert ran.status == 0
    assert "list of models" in ran.stderr
    assert "maxwell" in ran.stdout
