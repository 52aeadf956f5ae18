"""A start-up of shear ends at the flow curve."""

from __future__ import annotations

import numpy as np
import pytest
from tests.physics.held_against import FULL

from rheojobs.inference.models.loading import load

pytestmark = pytest.mark.physics

# Parameters in each model's order, with relaxation times of about 1 s, and the rate / 1/s.
FLOWS: dict[str, tuple[list[float] | None, float]] = {
    "giesekus": ([100.0, 1.0, 0.3, 1.0, 1.0], 2.0),
    "vlb": ([50.0, 1.0], 1.5),
    "tnt": ([50.0, 1.0, 2.0], 1.5),
}
HELD = {
    (name, mode): "each other: start-up ends at the flow curve"
    for name in FLOWS
    for mode in ("flow_curve", "startup")
}


@pytest.mark.parametrize("name", list(FLOWS) if FULL else ["vlb"])
def test_a_startup_ends_at_the_flow_curve(name: str) -> None:
    model, (values, rate) = load(name), FLOWS[name]
    params = np.array(values)
    assert len(params) == len(model.parameters)
    late = model.predict(np.array([40.0]), params, "startup", {"gamma_dot": rate})
    steady = model.predict(np.array([rate]), params, "flow_curve")
    assert float(late[0]) == pytest.approx(float(steady[0]), rel=1e-5)
