"""The models that step through time: predictions depend on their own times alone, in any order."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from tests.physics.held_against import FULL

from rheojobs.inference.data.protocol import MODE_CONSTANTS
from rheojobs.inference.models.loading import load

pytestmark = pytest.mark.physics

STEPPING = (
    "dmt_local",
    "fikh",
    "fluidity_local",
    "fluidity_nonlocal",
    "fluidity_saramito_local",
    "fluidity_saramito_nonlocal",
    "fmlikh",
    "generalized_maxwell",
    "giesekus",
    "giesekus_multi",
    "hebraud_lequeux",
    "hvm",
    "hvnm",
    "lattice_epm",
    "mikh",
    "ml_ikh",
    "stz_conventional",
    "tensorial_epm",
    "tnt",
    "tnt_cates",
    "tnt_loop_bridge",
    "tnt_multi_species",
    "tnt_sticky_rouse",
    "vlb",
    "vlb_multi_network",
    "vlb_nonlocal",
    "vlb_variant",
)
# Under warnings: their steps follow from the longest time of the data, or from their spacing.
GRIDS = ("hebraud_lequeux", "lattice_epm", "tensorial_epm")
STEPPED = {(name, mode) for name in ("fikh", "fmlikh") for mode in ("startup", "laos")}
TIMED = ("relaxation", "creep", "startup", "laos")
PAIRS = [(name, mode) for name in STEPPING for mode in TIMED]
CHOSEN = [("mikh", "creep"), ("vlb", "startup"), ("dmt_local", "laos")]
CONSTANTS = {"gamma_dot": 0.5, "gamma_0": 0.3, "omega": 1.0, "sigma_0": 20.0}
CONSTANTS["sigma_applied"] = 20.0
X = np.array([1.5, 0.02, 0.7, 1.5, 0.3, 3.0])
OTHERS = np.array([0.02, 0.1, 0.7, 1.2, 1.5, 9.0])
BOTH = (np.array([1, 2, 0]), np.array([0, 2, 4]))  # the times that both have


def prepared(name: str, mode: str):
    model = load(name)
    if mode not in model.test_modes:
        pytest.skip("the model does not describe this test, or it is refused")
    defaults = [p.default if p.default is not None else 1.0 for p in model.parameters]
    constants = {key: CONSTANTS[key] for key in MODE_CONSTANTS[mode]}
    params = np.array(defaults)
    return jax.jit(lambda x: model.predict(x, params, mode, constants))


@pytest.mark.parametrize(("name", "mode"), PAIRS if FULL else CHOSEN)
def test_times_are_in_any_order_and_do_not_change_each_other(name: str, mode: str) -> None:
    predict = prepared(name, mode)
    together, in_order = np.asarray(predict(X)), np.asarray(predict(np.sort(X)))
    size = np.abs(together[np.isfinite(together)]).max(initial=0.0)
    if mode == "relaxation":  # which may be over before the first time
        size = max(size, CONSTANTS["sigma_0"])
    order = np.searchsorted(np.sort(X), X)
    np.testing.assert_allclose(together, in_order[order], rtol=1e-9, atol=1e-12 * size)
    if name in GRIDS or (name, mode) in STEPPED:
        assert load(name).warnings[mode]
        return
    assert np.isfinite(together).all()
    others = np.asarray(predict(OTHERS))
    np.testing.assert_allclose(together[BOTH[0]], others[BOTH[1]], rtol=1e-6, atol=1e-9 * size)
