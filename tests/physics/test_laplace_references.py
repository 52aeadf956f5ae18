"""Linear response and steady flow, against the literature's equations evaluated by mpmath.

`laplace_references` computed the values, by inversion of transforms and quadrature in 40 digits.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from tests.physics.held_against import FULL
from tests.physics.laplace_references import PATH

from rheojobs.inference.models.loading import load

pytestmark = pytest.mark.physics

# The two classes of soft glassy rheology share their equations.
NAMES = {"sgr": ("sgr_conventional", "sgr_generic")}
ROWS: dict[tuple[str, str], list[dict[str, Any]]] = {}
for _row in json.loads(PATH.read_text(encoding="utf-8")):
    for _name in NAMES.get(_row["model"], (_row["model"],)):
        ROWS.setdefault((_name, _row["mode"]), []).append(_row)

_WORDS = {
    "oscillation": "G*(iω) of the literature, in 40 digits",
    "relaxation": "inverse Laplace transform of G*(s)/s, in 40 digits",
    "creep": "inverse Laplace transform of 1/(s G*(s)), in 40 digits",
    "flow_curve": "quadrature of Sollich's equations",
}
HELD = {pair: _WORDS[pair[1]] for pair in ROWS}


@pytest.mark.parametrize(("name", "mode"), HELD, ids=[f"{n}-{m}" for n, m in HELD])
def test_a_prediction_is_what_the_literature_says(name: str, mode: str) -> None:
    model = load(name)
    for row in ROWS[name, mode][: None if FULL else 1]:
        x, known = np.array(row["x"]), np.array(row["y"])
        computed = np.asarray(model.predict(x, np.array(row["params"]), mode))
        if mode == "oscillation":
            computed = np.stack([computed.real, computed.imag], axis=-1)
        elif mode == "flow_curve" and model.flow_quantity == "viscosity":
            known = known / x
        size = 0.0 if mode == "oscillation" else 1e-11 * np.abs(known).max()
        np.testing.assert_allclose(computed, known, rtol=1e-9, atol=size, err_msg=str(row))
