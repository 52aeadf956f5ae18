"""Priors as pytrees: their numbers are arguments of compiled programs, their types are static.

A prior given by name needs NumPyro only while a program is traced; its support, draws and
cumulative distribution are computed here without it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Protocol

import jax
import numpy as np
from numpy.typing import NDArray

from rheojobs.inference.posterior.prior_syntax import PRIOR_TYPES, check_prior, prior_arguments

if TYPE_CHECKING:
    from numpyro.distributions import Distribution

__all__ = ["DistributionPrior", "NamedPrior", "Prior", "prior_of"]

SCALED_BETA = "scaledbeta"
"""A Beta distribution scaled to other limits than 0 and 1."""


class Prior(Protocol):
    """A prior distribution of one number; a pytree of its arguments."""

    @property
    def limits(self) -> tuple[float, float]:
        """The ends of its support; infinite if it has none."""

    @property
    def words(self) -> str:
        """Its name and arguments, such as ``Uniform(low=0.001, high=1e+09)``."""

    def distribution(self) -> Distribution:
        """Return the NumPyro distribution; traceable."""

    def unconstrain(self, value: float) -> float:
        """Map a value to the real line, as NumPyro's bijection to its support does."""

    def draw(self, generator: np.random.Generator, count: int) -> NDArray[np.float64]:
        """Draw from it, shape (count,); `NotImplementedError` if that is not possible."""

    def cumulative(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability below each value; `NotImplementedError` if it is not known."""


@jax.tree_util.register_pytree_node_class
@dataclass(frozen=True)
class NamedPrior:
    """A prior of one of the types that a user may name.

    Attributes
    ----------
    type : str
        A key of `PRIOR_TYPES`, or `SCALED_BETA`.
    arguments : dict of str to float
        Of the distribution; infinite limits are left out.
    """

    type: str
    arguments: dict[str, Any]

    def tree_flatten(self) -> tuple[tuple[Any, ...], tuple[str, tuple[str, ...]]]:
        """Return the traced and the static parts."""
        return tuple(self.arguments.values()), (self.type, tuple(self.arguments))

    @classmethod
    def tree_unflatten(
        cls, static: tuple[str, tuple[str, ...]], values: Sequence[Any]
    ) -> NamedPrior:
        """Build the prior again."""
        kind, names = static
        return cls(kind, dict(zip(names, values, strict=True)))

    @property
    def limits(self) -> tuple[float, float]:
        """The ends of its support; infinite if it has none."""
        low, high = _SUPPORTS.get(self.type, (-math.inf, math.inf))
        return float(self.arguments.get("low", low)), float(self.arguments.get("high", high))

    @property
    def words(self) -> str:
        """Its name and arguments, such as ``Uniform(low=0.001, high=1e+09)``."""
        shown = dict(self.arguments)
        if self.type == SCALED_BETA:
            low, high = shown.pop("low"), shown.pop("high")
            return f"{NamedPrior('beta', shown).words} scaled to {low:g} to {high:g}"
        told = ", ".join(f"{name}={float(value):g}" for name, value in shown.items())
        return f"{PRIOR_TYPES[self.type].numpyro_name}({told})"

    def distribution(self) -> Distribution:
        """Return the NumPyro distribution; traceable."""
        import numpyro.distributions as dist
        from numpyro.distributions import constraints

        given = dict(self.arguments)
        if "offset" in given:
            return _shifted(**given)
        if self.type != SCALED_BETA:
            return getattr(dist, PRIOR_TYPES[self.type].numpyro_name)(**given)
        low, high = given.pop("low"), given.pop("high")
        shift = dist.transforms.AffineTransform(low, high - low, domain=constraints.unit_interval)
        return dist.TransformedDistribution(dist.Beta(**given), shift)

    def unconstrain(self, value: float) -> float:
        """Map a value to the real line, as NumPyro's bijection to its support does."""
        low, high = self.limits
        if not math.isfinite(low):
            return math.log(high - value) if math.isfinite(high) else float(value)
        if not math.isfinite(high):
            return math.log(value - low)
        share = (value - low) / (high - low)
        return math.log(share) - math.log1p(-share)

    def draw(self, generator: np.random.Generator, count: int) -> NDArray[np.float64]:
        """Draw from it, shape (count,)."""
        return np.asarray(_DRAWS[self.type](generator, self.arguments, count), dtype=np.float64)

    def cumulative(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability below each value."""
        low, high = self.limits
        if self.type == "loguniform":
            offset = self.arguments.get("offset", 0.0)
            first, last = low + offset, high + offset
            inside = np.clip(values, low, high) + offset
            return np.asarray(np.log(inside / first) / math.log(last / first))
        shapes = [self.arguments.get(f"concentration{k}") for k in (0, 1)]
        is_parabola = self.type in ("beta", SCALED_BETA) and shapes == [2.0, 2.0]
        if self.type == "uniform" or is_parabola:
            share = np.clip((values - low) / (high - low), 0.0, 1.0)
            return share**2 * (3.0 - 2.0 * share) if is_parabola else share
        return np.asarray(self.distribution().cdf(values))


@jax.tree_util.register_pytree_node_class
@dataclass(frozen=True, eq=False)
class DistributionPrior:
    """A prior given as a NumPyro distribution, with its arguments ordered by name.

    NumPyro orders them by the hash of their names, which differs between processes: the
    programs would differ too, and would not be found on disk.
    """

    given: Distribution

    def tree_flatten(self) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Return the traced parts, by name, and the static ones."""
        kind = type(self.given)
        values, rest = self.given.tree_flatten()
        values = _by_name(kind.gather_pytree_data_fields(), values)
        rest = _by_name(kind.gather_pytree_aux_fields(), rest)
        return tuple(map(_wrapped, values)), (kind, rest)

    @classmethod
    def tree_unflatten(cls, static: tuple[Any, ...], values: tuple[Any, ...]) -> DistributionPrior:
        """Build the distribution again."""
        kind, rest = static
        values = _as_named(kind.gather_pytree_data_fields(), tuple(map(_unwrapped, values)))
        return cls(kind.tree_unflatten(_as_named(kind.gather_pytree_aux_fields(), rest), values))

    @property
    def limits(self) -> tuple[float, float]:
        """The ends of its support; infinite if it has none."""
        support = self.given.support
        low = float(getattr(support, "lower_bound", -math.inf))
        return low, float(getattr(support, "upper_bound", math.inf))

    @property
    def words(self) -> str:
        """Its name and arguments, such as ``Gumbel(loc=0, scale=1)``."""
        base = getattr(self.given, "base_dist", None)
        if base is not None and type(self.given).__name__ == "TransformedDistribution":
            low, high = self.limits
            return f"{DistributionPrior(base).words} scaled to {low:g} to {high:g}"
        arguments = [
            f"{name}={float(value):g}"
            for name in getattr(self.given, "arg_constraints", {})
            if (value := getattr(self.given, name, None)) is not None and np.ndim(value) == 0
        ]
        return f"{type(self.given).__name__}({', '.join(arguments)})"

    def distribution(self) -> Distribution:
        """Return the NumPyro distribution."""
        return self.given

    def unconstrain(self, value: float) -> float:
        """Map a value to the real line."""
        from numpyro.distributions import biject_to

        return float(biject_to(self.given.support).inv(value))

    def draw(self, generator: np.random.Generator, count: int) -> NDArray[np.float64]:
        """Draw from it, shape (count,)."""
        key = jax.random.PRNGKey(int(generator.integers(2**31)))
        return np.asarray(self.given.sample(key, (count,)), dtype=np.float64)

    def cumulative(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability below each value."""
        return np.asarray(self.given.cdf(values))


def prior_of(parameter: str, given: Any) -> Prior:
    """Return the prior that a user gives; raises as `check_prior` does."""
    if not isinstance(given, Mapping):
        check_prior(parameter, given)
        return DistributionPrior(given)
    kind, values = prior_arguments(parameter, given)
    if kind == "beta" and (values["low"], values["high"]) != (0.0, 1.0):
        return NamedPrior(SCALED_BETA, values)
    # So that programs are the same whether a default is given or not.
    defaults = PRIOR_TYPES[kind].defaults
    finite = {
        name: value
        for name, value in values.items()
        if math.isfinite(value) and (kind == "truncatednormal" or value != defaults.get(name))
    }
    # A truncation may have one side only, or none.
    return NamedPrior("normal" if kind == "truncatednormal" and len(finite) == 2 else kind, finite)


_SUPPORTS = dict.fromkeys(("lognormal", "halfnormal", "exponential", "gamma"), (0.0, math.inf))
_SUPPORTS["beta"] = (0.0, 1.0)


def _truncated(generator: np.random.Generator, given: Mapping[str, Any], count: int) -> list[float]:
    normal = NormalDist(given["loc"], given["scale"])
    ends = [normal.cdf(given[end]) if end in given else share for end, share in _SHARES.items()]
    # Far out in a tail the probabilities of both ends may round to the same number.
    least, most = (min(max(end, 1e-300), 1.0 - 1e-16) for end in ends)
    low, high = given.get("low", -math.inf), given.get("high", math.inf)
    shares = generator.uniform(least, most, count) if least < most else np.full(count, least)
    return [min(max(normal.inv_cdf(share), low), high) for share in shares.tolist()]


_SHARES = {"low": 0.0, "high": 1.0}


def _loguniform(
    generator: np.random.Generator, given: Mapping[str, Any], count: int
) -> NDArray[np.float64]:
    low, high, offset = given["low"], given["high"], given.get("offset", 0.0)
    draws = np.exp(generator.uniform(np.log(low + offset), np.log(high + offset), count))
    return np.clip(draws - offset, low, high) if offset else draws


def _shifted(low: Any, high: Any, offset: Any) -> Distribution:
    """Return the distribution of x if the logarithm of x + offset is uniform."""
    import numpyro.distributions as dist
    from numpyro.distributions import constraints

    base = dist.LogUniform(low + offset, high + offset)
    domain = constraints.interval(low + offset, high + offset)
    shift = dist.transforms.AffineTransform(-offset, 1.0, domain=domain)
    return dist.TransformedDistribution(base, shift)


type _Draw = Callable[[np.random.Generator, Mapping[str, Any], int], Any]
_DRAWS: dict[str, _Draw] = {
    "normal": lambda g, a, n: g.normal(a["loc"], a["scale"], n),
    "uniform": lambda g, a, n: g.uniform(a["low"], a["high"], n),
    "lognormal": lambda g, a, n: g.lognormal(a["loc"], a["scale"], n),
    "loguniform": _loguniform,
    "halfnormal": lambda g, a, n: np.abs(g.normal(0.0, a["scale"], n)),
    "truncatednormal": _truncated,
    "exponential": lambda g, a, n: g.exponential(1.0 / a["rate"], n),
    "gamma": lambda g, a, n: g.gamma(a["concentration"], 1.0 / a["rate"], n),
    "beta": lambda g, a, n: g.beta(a["concentration1"], a["concentration0"], n),
    SCALED_BETA: lambda g, a, n: (
        a["low"] + (a["high"] - a["low"]) * g.beta(a["concentration1"], a["concentration0"], n)
    ),
}


def _by_name(names: Sequence[str], values: Sequence[Any]) -> tuple[Any, ...]:
    """Order values by their names."""
    named = dict(zip(names, values, strict=True))
    return tuple(named[name] for name in sorted(named))


def _as_named(names: Sequence[str], values: Sequence[Any]) -> tuple[Any, ...]:
    """Undo `_by_name`."""
    named = dict(zip(sorted(names), values, strict=True))
    return tuple(named[name] for name in names)


def _wrapped(value: Any) -> Any:
    """Wrap an argument of a distribution if it is itself a distribution."""
    return DistributionPrior(value) if hasattr(value, "gather_pytree_data_fields") else value


def _unwrapped(value: Any) -> Any:
    return value.given if isinstance(value, DistributionPrior) else value
