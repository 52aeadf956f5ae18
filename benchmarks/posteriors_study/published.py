"""Posteriors of other fields, whose moments are published or follow from a formula.

Some are a list of functions of their parameters, each compared with a number; x is its place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist

from posteriors_study.case import Case
from rheojobs import Dataset, Model

__all__ = ["CASES"]

EFFECTS = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
ERRORS = np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])
"""Of eight schools: D. B. Rubin, J. Educ. Stat. 6 (1981) 377."""

SIZE = 15
FUNNEL = 3.0
WIDE = 1e6


def _model(function: Callable[[Any, Any], Any], names: list[str], name: str, *ends: float) -> Model:
    low, high = ends or (-WIDE, WIDE)
    parameters = dict.fromkeys(names, (low, high, 0.5))
    return Model.from_function(function, parameters, "relaxation", name=name)


def _normal(loc: float, scale: float) -> dict[str, Any]:
    return {"type": "normal", "loc": loc, "scale": scale}


def _observed(y: Any, sigma: Any) -> Callable[[int], Dataset]:
    values = np.asarray(y, dtype=float)
    x = np.arange(1.0, values.size + 1.0)
    data = Dataset(x, values, "relaxation", sigma=np.broadcast_to(sigma, values.shape))
    return lambda seed: data


def _listed(values: Any, x: Any) -> Any:
    """Return those of the places x, which are counted from one."""
    return values[x.astype(int) - 1]


def _schools(x: Any, p: Any) -> Any:
    """Mean, spread, and the schools' deviations in units of it: not centred."""
    return _listed(p[0] + p[1] * p[2:], x)


def _banana(x: Any, p: Any) -> Any:
    """A ridge along a parabola, after Haario et al., Comput. Stat. 14 (1999) 375."""
    return (p[1] - 0.5 * p[0] ** 2) / 0.5 + 0.0 * x


def _funnel(x: Any, p: Any) -> Any:
    """R. M. Neal, Ann. Stat. 31 (2003) 705; the norm of the inner ones is in the prior of v."""
    return _listed(p[1:] * jnp.exp(-0.5 * p[0]), x)


def _correlated(x: Any, p: Any) -> Any:
    return _listed(jnp.asarray(np.linalg.inv(np.linalg.cholesky(COVARIANCE))) @ p, x)


_random = np.random.default_rng(15)
_axes = np.linalg.qr(_random.standard_normal((SIZE, SIZE)))[0]
COVARIANCE = (_axes * np.geomspace(0.01, 100.0, SIZE)) @ _axes.T

LINE = np.linspace(0.025, 1.0, 40)
GROWTH = np.linspace(0.2, 10.0, 30)


def _regression(seed: int) -> Dataset:
    random = np.random.default_rng(seed)
    return Dataset(LINE, 1.0 + 2.0 * LINE + 0.2 * random.standard_t(3.0, LINE.size), "relaxation")


def _grown(seed: int) -> Dataset:
    random = np.random.default_rng(seed)
    y = 10.0 / (1.0 + 9.0 * np.exp(-0.9 * GROWTH))
    return Dataset(GROWTH, y * np.exp(0.05 * random.standard_normal(GROWTH.size)), "relaxation")


def _cases() -> list[Case]:
    deviations = [f"eta_{k}" for k in range(8)]
    schools = Model.from_function(
        _schools,
        {"mu": (-WIDE, WIDE, 5.0), "tau": (0.0, WIDE, 3.0)}
        | dict.fromkeys(deviations, (-WIDE, WIDE, 0.1)),
        "relaxation",
        name="schools",
    )
    inner = ["a", "b", "c"]
    many = [f"z_{k}" for k in range(SIZE)]
    spread = np.sqrt(np.diag(COVARIANCE))
    return [
        Case(
            "eight schools",
            schools,
            _observed(EFFECTS, ERRORS),
            {
                "likelihood": "sigma",
                "priors": {"mu": _normal(0.0, 5.0), "tau": dist.HalfCauchy(5.0)}
                | {name: _normal(0.0, 1.0) for name in deviations},
            },
            # By quadrature over tau, at which all others are normal.
            {"mu": (4.397, 3.318), "tau": (3.598, 3.220)},
        ),
        Case(
            "banana",
            _model(_banana, ["p", "q"], "banana"),
            _observed([0.0], 1.0),
            {"likelihood": "sigma", "priors": {"p": _normal(0.0, 1.0), "q": _normal(0.0, 1e4)}},
            {"p": (0.0, 1.0), "q": (0.5, np.sqrt(0.5 + 0.25))},
        ),
        Case(
            "funnel, 4 dimensions",
            _model(_funnel, ["v", *inner], "funnel"),
            _observed(np.zeros(3), 1.0),
            {
                "likelihood": "sigma",
                "priors": {"v": _normal(-1.5 * FUNNEL**2, FUNNEL)}
                | {name: _normal(0.0, 1e5) for name in inner},
            },
            {"v": (0.0, FUNNEL)},
        ),
        Case(
            "normal, 15 dimensions",
            _model(_correlated, many, "normal"),
            _observed(np.zeros(SIZE), 1.0),
            {"likelihood": "sigma", "priors": {name: _normal(0.0, 1e5) for name in many}},
            {name: (0.0, float(spread[k])) for k, name in enumerate(many)},
        ),
        Case(
            "Student-t regression",
            _model(lambda x, p: p[0] + p[1] * x, ["a", "b"], "line"),
            _regression,
            {"likelihood": "student_t"},
        ),
        Case(
            "logistic growth",
            Model.from_function(
                lambda x, p: p[0] / (1.0 + jnp.exp(-p[1] * (x - p[2]))),
                {"K": (1e-2, 1e4, 10.0), "r": (1e-3, 1e2, 1.0), "t0": (-10.0, 20.0, 3.0)},
                "relaxation",
                name="growth",
            ),
            _grown,
            {"likelihood": "relative"},
        ),
    ]


CASES = _cases()
