"""The names of RheoJAX: those that are installed fit, others are refused, and all are restored."""

from __future__ import annotations

import importlib.util
import queue
import threading

import pytest

if importlib.util.find_spec("rheojax") is None:
    pytest.skip("RheoJAX is not installed", allow_module_level=True)

import rheojobs
from rheojobs.errors import InputError
from rheojobs.integrations.rheojax import hooks, installation
from rheojobs.integrations.rheojax.hooks import HOOKS, IncompatibleRheojaxError, check_hooks
from rheojobs.integrations.rheojax.running import CannotRunError


def names() -> dict[str, object]:
    found = {}
    for hook in HOOKS:
        holder, name = hook.holder()
        found[hook.key] = getattr(holder, name)
    return found


def test_all_names_of_the_installed_version_fit():
    assert [hook.problem() for hook in HOOKS] == [""] * len(HOOKS)
    assert check_hooks() == list(HOOKS)


@pytest.fixture
def installed(monkeypatch):
    """Install with an engine of threads, which starts no process."""
    monkeypatch.setattr(installation, "Runner", NoRunner)
    yield
    installation.uninstall()


class NoRunner:
    """In place of the engine."""

    objective, engine = "rheojax", None

    def __init__(self, *_: object) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


def test_install_replaces_and_uninstall_restores(installed):
    before = names()
    installation.install()
    now = names()
    assert all(now[key] is not before[key] for key in before)
    installation.install()  # a second time changes nothing
    assert names() == now
    installation.uninstall()
    assert all(names()[key] is value for key, value in before.items())
    installation.uninstall()


def test_without_lazy_plots_the_canvas_stays_as_it_is(installed):
    before = names()
    installation.install(lazy_plots=False)
    now = names()
    assert {key for key in now if now[key] is before[key]} == {"draws", "plot", "export_plot"}


def test_a_changed_signature_is_refused_and_nothing_is_replaced(installed, monkeypatch):
    holder, name = HOOKS[0].holder()
    monkeypatch.setattr(holder, name, lambda model_name, data: None)
    before = names()
    with pytest.raises(IncompatibleRheojaxError) as caught:
        installation.install()
    words = str(caught.value)
    assert "run_fit_isolated takes (model_name, data)" in words
    assert "versions that fit: 0.7.0 and 0.7.1" in words
    assert "\n" not in words
    assert names() == before


def test_an_optional_name_that_is_missing_is_left_out(installed, monkeypatch):
    holder, name = next(hook for hook in HOOKS if hook.key == "verdict").holder()
    monkeypatch.delattr(holder, name)
    assert {hook.key for hook in HOOKS} - {hook.key for hook in check_hooks()} == {"verdict"}


def test_what_we_cannot_run_is_run_by_rheojax(monkeypatch, installed):
    """Its own function gets the same arguments, and the step is told."""
    holder, name = HOOKS[0].holder()
    calls, messages = [], queue.Queue()

    def theirs(
        model_name,
        x_data,
        y_data,
        test_mode,
        initial_params,
        options,
        progress_queue,
        cancel_event,
        y2_data=None,
        metadata=None,
        dataset_id="",
        model_config=None,
    ):
        calls.append((model_name, test_mode, dataset_id))
        return {"success": True}

    def fit(*_):
        raise CannotRunError("sgr_generic, laos: no equations")

    monkeypatch.setattr(holder, name, theirs)
    monkeypatch.setattr(NoRunner, "fit", fit, raising=False)
    installation.install()
    arguments = ("sgr_generic", [1.0], [1.0], "laos", {}, {}, messages, threading.Event())
    assert getattr(holder, name)(*arguments, dataset_id="paint") == {"success": True}
    assert calls == [("sgr_generic", "laos", "paint")]
    assert messages.get_nowait()["message"] == "by RheoJAX itself"


def test_a_cancellation_is_theirs(monkeypatch, installed):
    from rheojax.gui.jobs.cancellation import CancellationError

    def sample(*_):
        raise rheojobs.CancellationError

    monkeypatch.setattr(NoRunner, "sample", sample, raising=False)
    installation.install()
    holder, name = HOOKS[1].holder()
    counts = (10, 10, 1)
    arguments = ("maxwell", [1.0], [1.0], "relaxation", *counts, None, {}, 0)
    with pytest.raises(CancellationError):
        getattr(holder, name)(*arguments, queue.Queue(), threading.Event())


def test_an_unknown_objective(installed):
    with pytest.raises(InputError, match="rheojax, rheojobs, got 'scipy'"):
        installation.install(objective="scipy")


def test_defaults_and_priors_of_a_model():
    defaults = hooks.parameter_defaults("generalized_maxwell", {"n_modes": 2})
    assert {"G_1", "tau_1", "G_2", "tau_2"} <= set(defaults)
    assert defaults["G_1"].bounds[0] < defaults["G_1"].value < defaults["G_1"].bounds[1]
    assert hooks.own_prior_names("maxwell", {}) == set()
    assert "tau_thix" in hooks.own_prior_names("mikh", {})
