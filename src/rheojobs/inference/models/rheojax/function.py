"""Wrap a RheoJAX model as a pure function, with all constants explicit and tests begun at rest."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rheojobs.errors import InputError
from rheojobs.inference.data.protocol import MODE_CONSTANTS, PROTOCOL_CONSTANTS
from rheojobs.inference.models.rheojax.patched_diffrax import forward_mode, solves_equations
from rheojobs.inference.models.rheojax.private_names import (
    keep_laos,
    keep_stress_scale,
    takes_strain,
)
from rheojobs.inference.models.rheojax.repair_table import ORDERS, REPAIRS
from rheojobs.inference.models.rheojax.replacements import INNER

__all__ = ["RheojaxFunction"]

_FROM_REST = ("startup", "creep", "relaxation", "laos")
# Theirs step from point to point by a scheme that oscillates and diverges if a strain step is
# long. RheoJAX's own fits divide the steps of some of these models (`stable_dt`) only.
_STEPS_PER_POINT = 16
# RheoJAX's other names for a constant of the test.
_ALIASES: dict[tuple[str, str], tuple[str, ...]] = {
    ("creep", "sigma_applied"): ("stress",),
    ("relaxation", "gamma_0"): ("gamma", "gamma_step"),
    ("relaxation", "sigma_0"): ("sigma_init",),
}
# If not given, these follow from the parameters (sigma_0 is then the yield stress).
_OPTIONAL = {("STZConventional", "relaxation"): ("sigma_0",)}


@dataclass(frozen=True)
class RheojaxFunction:
    """RheoJAX's `model_function` of one instance, made pure and complete.

    Attributes
    ----------
    instance : object
        The RheoJAX model; never changed.
    is_original : bool
        Whether RheoJAX's own formulas run where `repair_table` has ours.
    """

    instance: Any
    is_original: bool = False

    def needs(self, test_mode: str) -> tuple[str, ...]:
        """Name the constants that must be given if the model reads them.

        RheoJAX has defaults for missing ones: no stress in a creep, a shear rate of 1/s before a
        relaxation.
        """
        optional = _OPTIONAL.get((self._kind, test_mode), ())
        return tuple(name for name in MODE_CONSTANTS[test_mode] if name not in optional)

    def __call__(self, x: Any, params: Any, test_mode: str, **protocol: Any) -> Any:
        """Predict as `Model.predict` does, for x of shape (n,) and params of shape (p,).

        NaN, which fits and samplings keep out of, if one parameter exceeds another that it must
        not.
        """
        import jax.numpy as jnp

        out = self._of_test(x, params, test_mode, protocol)
        names = list(self.instance.parameters)
        for smaller, larger in () if self.is_original else ORDERS.get(self._kind, ()):
            allowed = params[names.index(smaller)] <= params[names.index(larger)]
            out = jnp.where(allowed, out, jnp.nan)
        return out

    @property
    def _kind(self) -> str:
        return type(self.instance).__name__

    def _of_test(self, x: Any, params: Any, test_mode: str, protocol: Mapping[str, Any]) -> Any:
        import jax.numpy as jnp

        repair = REPAIRS.get((self._kind, test_mode))
        if repair is not None and repair.formula is not None and not self.is_original:
            given = _constants_of(test_mode, protocol)
            with forward_mode(type(self.instance)):
                return repair.formula(copy.copy(self.instance), x, params, given)
        if test_mode in _FROM_REST and solves_equations(type(self.instance)):
            # RheoJAX begins at rest at the first x, and takes times in order only; a test begins
            # at rest at zero, and its data are in any order.
            order = jnp.argsort(jnp.asarray(x))
            x = jnp.asarray(x)[order]
            times, at = jnp.append(0.0, x), jnp.arange(1, x.shape[0] + 1)
            stepped = "IKH" in self._kind and test_mode in ("startup", "laos")
            if stepped:
                times, at = _in_even_steps(x)
            values = self._predict(times, params, test_mode, protocol)[at]
            return jnp.zeros_like(values).at[order].set(values)
        return self._predict(x, params, test_mode, protocol)

    def _predict(self, x: Any, params: Any, test_mode: str, protocol: Mapping[str, Any]) -> Any:
        import jax.numpy as jnp

        kind = self._kind
        given = _constants_of(test_mode, protocol)
        # Some constants are read from the instance, and some calls write to it: a copy isolates
        # threads and traces.
        instance = copy.copy(self.instance)
        inner = INNER.get((kind, test_mode))
        if inner is not None:
            with forward_mode(type(self.instance)):
                return inner(instance, x, params, given)
        known = dict(given)
        for name, value in given.items():
            known |= dict.fromkeys(_ALIASES.get((test_mode, name), ()), value)
        if takes_strain(instance):
            if test_mode == "startup" and "gamma_dot" in given:
                known["strain"] = given["gamma_dot"] * jnp.asarray(x)
            elif test_mode == "laos" and len(given) == 2:
                known["strain"] = given["gamma_0"] * jnp.sin(given["omega"] * jnp.asarray(x))
        if kind == "DMTLocal" and test_mode == "laos":
            keep_laos(instance, given["gamma_0"], given["omega"])
        elif kind == "SGRGeneric":
            known["is_stress"] = True
        elif kind == "TNTStickyRouse":
            keep_stress_scale(instance, 1.0)
        with forward_mode(type(self.instance)):
            out = instance.model_function(x, params, test_mode, **known)
        # Three omit a factor that the others of their kind, and the data, contain.
        if kind == "GeneralizedMaxwell" and test_mode == "flow_curve":
            return out * x
        if kind in ("GeneralizedMaxwell", "SGRConventional") and test_mode == "startup":
            return out * given["gamma_dot"]
        if kind == "TNTStickyRouse" and test_mode == "relaxation":
            return out * given["sigma_0"]
        return out


def _in_even_steps(x: Any) -> tuple[Any, Any]:
    """Return times from zero on that include x, with others between them as even as possible.

    The accuracy of a scheme with strain steps depends on the longest of them.

    Parameters
    ----------
    x : array, shape (n,)
        Times / s of the data.

    Returns
    -------
    times : array
        In order.
    at : array of int, shape (n,)
        The indices of x among them.
    """
    import jax.numpy as jnp

    count = _STEPS_PER_POINT * x.shape[0]
    # Half a step from zero, so that none of them almost coincides with one of x.
    even = jnp.max(x) * (jnp.arange(count) + 0.5) / count
    times = jnp.sort(jnp.concatenate([jnp.zeros(1), x, even]))
    return times, jnp.searchsorted(times, x)


def _constants_of(test_mode: str, protocol: Mapping[str, Any]) -> _Constants:
    return _Constants({k: protocol[k] for k in MODE_CONSTANTS[test_mode] if k in protocol})


class _Constants(dict[str, Any]):
    """The constants of a test by name; a missing one raises an error that names it."""

    def __missing__(self, name: str) -> Any:
        words = f"the model needs {name} ({PROTOCOL_CONSTANTS[name]}): give it with {{protocol}}"
        raise InputError(words, options=("protocol",))
