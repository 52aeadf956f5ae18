"""Drive the equations of a material in simple shear: start-up, LAOS and creep by the same ones.

A material is a system dy/dt = slopes(y, rate), with a shear stress that depends on y and on the
strain, and a viscosity in parallel. In creep the rate follows from the stress that is held:
d(stress)/dt = 0, elastic strain included.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from rheojobs.inference.models.formulas.stiff_solver import solve

__all__ = ["Material", "creep", "laos", "startup"]

_THIN = 1e-9
"""The viscosity in parallel that stands for none, as a part of the material's own viscosity.

The rate then is (held stress - stress) / viscosity, whose limit is d(stress)/dt = 0; the elastic
strain is reached after some 1e-9 of a relaxation time, and errors are of that size.
"""


class Material(NamedTuple):
    """The equations of a material in simple shear.

    Attributes
    ----------
    rest : array, shape (m,)
        The state before the test.
    slopes : callable
        ``(y, rate) -> dy/dt``.
    stress : callable
        ``(strain, y) -> stress / Pa``, without the viscosity in parallel.
    solvent : float
        The viscosity in parallel / Pa s.
    modulus, time : float
        Scales of the modulus / Pa and of the relaxation time / s.
    is_linear : bool
        Whether stress and state are linear in a step of strain, and viscosities so far apart that
        rounding forbids a thin one in creep: the rate is then eliminated by d(stress)/dt = 0.
    """

    rest: Any
    slopes: Callable[[Any, Any], Any]
    stress: Callable[[Any, Any], Any]
    solvent: Any
    modulus: Any
    time: Any
    is_linear: bool = False

    def changes(self, rate: Any, y: Any) -> Any:
        """Return the slopes of the strain and of y."""
        import jax.numpy as jnp

        return jnp.append(rate, self.slopes(y, rate))


def creep(material: Material, held: Any, t: Any) -> Any:
    """Return the strain at times t / s, shape (n,), under the stress `held` / Pa."""
    import jax.numpy as jnp

    if material.is_linear:
        return _eliminated(material, held, t)
    thin = _THIN * material.modulus * material.time
    viscosity = material.solvent + thin

    def field(_: Any, state: Any) -> Any:
        strain, y = state[0], state[1:]
        rate = (held - material.stress(strain, y)) / viscosity
        return material.changes(rate, y)

    layer = viscosity / material.modulus
    # Without a solvent the elastic strain is there at once, also at time zero.
    at = jnp.where(material.solvent > 0.0, t, jnp.maximum(t, 50.0 * layer))
    begin = jnp.minimum(0.1 * layer, 1e-6 * jnp.max(at))
    return _solved(material, field, at, jnp.abs(held) / material.modulus, begin)[:, 0]


def _eliminated(material: Material, held: Any, t: Any) -> Any:
    """Return the strain, with the rate from d(stress)/dt = 0 where there is no solvent."""
    import jax
    import jax.numpy as jnp

    has_solvent = material.solvent > _THIN * material.modulus * material.time
    viscosity = jnp.where(has_solvent, material.solvent, 1.0)

    def growth(state: Any, rate: Any) -> Any:
        """Return d(stress)/dt at a shear rate."""
        slope = material.changes(rate, state[1:])
        return jax.jvp(lambda s: material.stress(s[0], s[1:]), (state,), (slope,))[1]

    def field(_: Any, state: Any) -> Any:
        still, moving = growth(state, 0.0), growth(state, 1.0)
        driven = (held - material.stress(state[0], state[1:])) / viscosity
        rate = jnp.where(has_solvent, driven, still / (still - moving))
        return material.changes(rate, state[1:])

    start = jnp.append(0.0, jnp.asarray(material.rest, dtype=float))
    step = material.changes(1.0, start[1:]) - material.changes(0.0, start[1:])
    start = jnp.where(has_solvent, start, start + held / material.modulus * step)
    quick = jnp.minimum(material.time, jnp.where(has_solvent, viscosity / material.modulus, 1e300))
    begin = jnp.minimum(0.1 * quick, 1e-6 * jnp.max(t))
    strain = jnp.abs(held) / material.modulus
    return _solved(material, field, t, strain, begin, start)[:, 0]


def startup(material: Material, rate: Any, t: Any) -> Any:
    """Return the stress / Pa at times t / s, shape (n,), at a constant shear rate / s⁻¹."""
    import jax
    import jax.numpy as jnp

    def field(_: Any, state: Any) -> Any:
        return material.changes(rate, state[1:])

    begin = 1e-6 * jnp.minimum(jnp.max(t), material.time)
    state = _solved(material, field, t, 1e-3, begin)
    elastic = jax.vmap(lambda row: material.stress(row[0], row[1:]))(state)
    return elastic + material.solvent * rate


def laos(material: Material, amplitude: Any, omega: Any, t: Any) -> Any:
    """Return the stress / Pa at times t / s under the strain amplitude · sin(omega t) from rest."""
    import jax
    import jax.numpy as jnp

    def rate_at(time: Any) -> Any:
        return amplitude * omega * jnp.cos(omega * time)

    def field(time: Any, state: Any) -> Any:
        return material.changes(rate_at(time), state[1:])

    begin = 1e-6 * jnp.minimum(jnp.max(t), jnp.minimum(material.time, 1.0 / omega))
    state = _solved(material, field, t, jnp.abs(amplitude), begin)
    elastic = jax.vmap(lambda row: material.stress(row[0], row[1:]))(state)
    return elastic + material.solvent * rate_at(t)


def _solved(
    material: Material, field: Any, t: Any, strain: Any, begin: Any, start: Any = None
) -> Any:
    """Return strain and state at times t, with tolerances for strains of the given size."""
    import jax.numpy as jnp

    if start is None:
        start = jnp.append(0.0, jnp.asarray(material.rest, dtype=float))
    absolute = 1e-10 * jnp.minimum(strain, 1.0)
    return solve(field, start, jnp.asarray(t, dtype=float), atol=absolute, first=begin)
