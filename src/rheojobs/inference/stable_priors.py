"""Priors as arguments of compiled programs, in an order that every process agrees on.

NumPyro orders a distribution's arguments by the hash of their names, which differs from one
process to the next: the programs would differ too, and none be found in the cache on disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import jax
from numpyro.distributions import Distribution

__all__ = ["StablePrior", "plain", "stable"]


@jax.tree_util.register_pytree_node_class
class StablePrior:
    """A distribution whose arguments, and those of what it is made of, are ordered by name."""

    def __init__(self, prior: Distribution) -> None:
        self.prior = prior

    def tree_flatten(self) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Give what is traced, by name, and what is not."""
        kind = type(self.prior)
        values, rest = self.prior.tree_flatten()
        values = _by_name(kind.gather_pytree_data_fields(), values)
        rest = _by_name(kind.gather_pytree_aux_fields(), rest)
        return tuple(map(_stable, values)), (kind, rest)

    @classmethod
    def tree_unflatten(cls, static: tuple[Any, ...], values: tuple[Any, ...]) -> StablePrior:
        """Build the distribution again."""
        kind, rest = static
        values = _as_named(kind.gather_pytree_data_fields(), tuple(map(_plain, values)))
        return cls(kind.tree_unflatten(_as_named(kind.gather_pytree_aux_fields(), rest), values))


def _by_name(names: Sequence[str], values: Sequence[Any]) -> tuple[Any, ...]:
    """Order values by their names."""
    named = dict(zip(names, values, strict=True))
    return tuple(named[name] for name in sorted(named))


def _as_named(names: Sequence[str], values: Sequence[Any]) -> tuple[Any, ...]:
    """Undo `_by_name`."""
    named = dict(zip(sorted(names), values, strict=True))
    return tuple(named[name] for name in names)


def _stable(value: Any) -> Any:
    return StablePrior(value) if isinstance(value, Distribution) else value


def _plain(value: Any) -> Any:
    return value.prior if isinstance(value, StablePrior) else value


def stable(priors: Iterable[Any]) -> tuple[Any, ...]:
    """Wrap distributions for a compiled program; what is wrapped already stays as it is."""
    return tuple(_stable(prior) for prior in priors)


def plain(priors: Iterable[Any]) -> tuple[Any, ...]:
    """Unwrap what `stable` has wrapped."""
    return tuple(_plain(prior) for prior in priors)
