"""Models in their usual second form: relaxation time in place of a viscosity or a rate."""

from __future__ import annotations

from rheojobs.inference.models.parameters import Alternative

__all__ = ["ALTERNATIVES"]

_TAU = "Relaxation time"
ALTERNATIVES: dict[str, Alternative] = {
    "Maxwell": Alternative(
        "tau", "eta", "s", _TAU, lambda v, p: v * p["G0"], lambda p: p["eta"] / p["G0"], ("G0",)
    ),
    "Zener": Alternative(
        "tau", "eta", "s", _TAU, lambda v, p: v * p["Gm"], lambda p: p["eta"] / p["Gm"], ("Gm",)
    ),
    "VLBLocal": Alternative("tau", "k_d", "s", _TAU, lambda v, p: 1 / v, lambda p: 1 / p["k_d"]),
    "FractionalKelvinVoigt": Alternative(
        "tau",
        "c_alpha",
        "s",
        "Retardation time",
        lambda v, p: p["Ge"] * v ** p["alpha"],
        lambda p: (p["c_alpha"] / p["Ge"]) ** (1 / p["alpha"]),
        ("Ge", "alpha"),
    ),
    "FractionalMaxwellGel": Alternative(
        "tau",
        "eta",
        "s",
        _TAU,
        lambda v, p: p["c_alpha"] * v ** (1 - p["alpha"]),
        lambda p: (p["eta"] / p["c_alpha"]) ** (1 / (1 - p["alpha"])),
        ("c_alpha", "alpha"),
    ),
}
"""By RheoJAX's class."""
