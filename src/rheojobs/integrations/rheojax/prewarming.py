"""Compile ahead of time what the window will ask for, once its model and data are chosen."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.readiness.prewarm import PrewarmTask
from rheojobs.integrations.rheojax import hooks
from rheojobs.qt.binding import QObject, QTimer

__all__ = ["Prewarming", "prewarm_task"]

DELAY_MS = 300
"""Time after the last choice: a user who goes through the models chooses several."""


class Prewarming(QObject):
    """Watches the steps of a project: a choice prewarms the fit, and a fit the sampling.

    Not both at once: a job waits for a worker that prepares its kind, so the fit would wait for
    the sampling's programs too.

    Parameters
    ----------
    app_state : object
        RheoJAX's state of the project.
    bodies : sequence of QWidget
        The steps of the project.
    submit : callable
        Takes a key, which is the same for the same programs, and what makes the task.
    """

    def __init__(
        self,
        app_state: Any,
        bodies: Sequence[Any],
        submit: Callable[[str, Callable[[], PrewarmTask]], object],
    ) -> None:
        super().__init__(bodies[0])
        self._state = app_state
        self._submit = submit
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY_MS)
        self._timer.timeout.connect(lambda: self._prewarm(is_fit=True))
        for body in bodies[:2]:
            for name in ("edited", "config_edited"):
                if hasattr(body, name):
                    getattr(body, name).connect(self._timer.start)
        bodies[2].finished.connect(lambda: self._prewarm(is_fit=False))

    def _prewarm(self, *, is_fit: bool) -> None:
        fit = self._state.fit
        if not (fit.model_key and fit.protocol and fit.data_ref):
            return
        config = dict(fit.model_config or {})
        try:
            x = np.array(self._state.library.load_payload(fit.data_ref).x, dtype=np.float64)
        except (KeyError, ValueError, TypeError) as error:
            # The step itself reports what is wrong with the data.
            hooks.log().debug("nothing is prewarmed: %s", error)
            return
        make = functools.partial(
            prewarm_task, fit.model_key, fit.protocol, x, config, is_fit=is_fit
        )
        self._submit(f"{fit.model_key} {fit.protocol} {config} {x.size} {is_fit}", make)


def prewarm_task(
    model_name: str,
    test_mode: str,
    x: NDArray[np.float64],
    model_config: Mapping[str, Any],
    *,
    is_fit: bool,
) -> PrewarmTask:
    """Return the task that compiles a fit, or a sampling with the priors of the editor.

    After a fit the editor has lognormal priors for parameters that are not negative, and normal
    ones for the others; their kinds decide what is compiled, their numbers do not.
    """
    defaults = hooks.parameter_defaults(model_name, model_config)
    priors = {
        name: {"type": "lognormal", "loc": math.log(item.value or 1.0), "scale": 1.0}
        if item.value >= 0
        else {"type": "normal", "loc": item.value, "scale": max(abs(item.value), 1.0)}
        for name, item in defaults.items()
    }
    own = hooks.own_prior_names(model_name, model_config)
    return PrewarmTask(
        model_name,
        test_mode,
        n=x.size,
        x=x,
        model_config=model_config,
        is_fit=is_fit,
        is_sampling=not is_fit,
        sampling_options={
            "priors": {name: prior for name, prior in priors.items() if name not in own},
            "likelihood": "constant",
            "default_priors": "rheojax",
        },
    )
