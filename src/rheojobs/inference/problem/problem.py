"""`Problem`: a model and a dataset, checked and ready to be fitted or sampled."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np

from rheojobs.errors import InputError
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.protocol import check_protocol
from rheojobs.inference.data.step_quantity import as_step_quantity
from rheojobs.inference.data.test_modes import canonical_test_mode
from rheojobs.inference.models.loading import check_name, load
from rheojobs.inference.models.model import Model
from rheojobs.inference.models.own.reference import is_formula
from rheojobs.inference.problem.observations import Observations
from rheojobs.inference.programs.kernel_cache import frozen

__all__ = ["Problem", "check_model", "prepare_data"]


def check_model(model: str | Model) -> str | Model:
    """Return a model as a task should store it: a function in a file with its digest.

    Raises
    ------
    InputError
        If the model is unknown, as far as that can be seen without JAX.
    """
    if isinstance(model, str):
        return check_name(model)
    if not isinstance(model, Model):
        raise InputError(f"a model is a name or a Model, got {type(model).__name__}")
    return model


def prepare_data(
    model: str | Model,
    data: object,
    test_mode: str | None = None,
    protocol: Mapping[str, float] | None = None,
) -> Dataset:
    """Check a job's data as far as possible without JAX; return the dataset to work on.

    Raises
    ------
    InputError
        In one line, what is wrong and what would be right.
    """
    constants = check_protocol(protocol)
    if test_mode is not None:
        test_mode = canonical_test_mode(test_mode)
    dataset = Dataset.of(data, test_mode=test_mode, protocol=constants)
    if dataset.test_mode is None:
        dataset = _with_test_of(model, dataset)
    dataset.require_test_mode()
    return dataset


def _with_test_of(model: str | Model, dataset: Dataset) -> Dataset:
    """Return data whose test mode is unknown with the model's, if that is known."""
    if isinstance(model, str) and is_formula(model):
        # A formula of t, in which nothing names another test, is a relaxation modulus.
        return Dataset.of(dataset, test_mode=load(model).test_modes[0])
    if isinstance(model, Model) and len(model.test_modes) == 1:
        return Dataset.of(dataset, test_mode=model.test_modes[0])
    return dataset


@dataclass(frozen=True, eq=False)
class Problem:
    """A model and the data from which its parameters are inferred.

    Attributes
    ----------
    model : Model
        With parameters (p,).
    dataset : Dataset
        In the quantity that the model predicts.
    test_mode : str
        Of the data.
    protocol : dict
        Constants of the test.
    """

    model: Model
    dataset: Dataset
    test_mode: str
    protocol: dict[str, float]

    @classmethod
    def of(
        cls,
        model: str | Model,
        dataset: Dataset,
        config: Mapping[str, Any] | None,
        bounds: Mapping[str, tuple[float, float]] | None = None,
    ) -> Problem:
        """Load the model and check that it can describe the data.

        `bounds` of the user's may reach beyond the model's.
        """
        loaded = load(model, config)
        mode = dataset.require_test_mode()
        loaded.check_test_mode(mode)
        loaded.check_x(mode, dataset.x)
        loaded = loaded.for_test(mode).widened(bounds or {})
        if mode == "flow_curve":
            wanted = cast(Literal["stress", "viscosity"], loaded.flow_quantity)
            dataset = dataset.as_flow_quantity(wanted)
        dataset = as_step_quantity(dataset, loaded.quantity(mode), loaded.name)
        loaded.probe(mode, len(dataset), dataset.protocol)
        return cls(loaded, dataset, mode, dict(dataset.protocol))

    @functools.cached_property
    def observations(self) -> Observations:
        """The data, padded to fine buckets for programs that run long."""
        return Observations.of(self.dataset)

    @functools.cached_property
    def coarse_observations(self) -> Observations:
        """The data, padded to coarse buckets for programs that run briefly."""
        return Observations.of(self.dataset, coarse=True)

    def fixed_values(self, fixed: Mapping[str, float]) -> dict[str, float]:
        """Check values of fixed parameters; only the model's own parameters can be fixed."""
        for name in fixed:
            other = self.model.alternative(str(name))
            if other is not None:
                raise InputError(
                    f"{self.model.name}: {name!r} is no parameter of its own: fix or tie "
                    f"{other.replaces!r}"
                )
        return self.model.resolve_values(fixed)

    @property
    def is_complex(self) -> bool:
        """Whether the data are G' + iG''."""
        return bool(np.iscomplexobj(self.dataset.y))

    @property
    def values(self) -> int:
        """The number of observed values: G' and G'' are two."""
        return len(self.dataset) * (2 if self.is_complex else 1)

    @property
    def key(self) -> tuple[Any, ...]:
        """What a compiled program depends on, besides the shapes of its arguments."""
        return (self.model.key, self.test_mode, self.is_complex, frozen(self.protocol))

    def identity(self, *more: Any) -> str:
        """Return a name of the key and of what is added to it, the same in every process.

        Empty for a function of the user's, whose key holds only within this process.
        """
        holds_everywhere = self.model.key[0] in ("rheojax", "formula")
        return repr((*self.key, *more)) if holds_everywhere else ""

    def components(self, x: Any, params: Any) -> Any:
        """Predict the observed components, shape (c, b): one, or real and imaginary part.

        Pure and traceable in `x`, shape (b,), and `params`, shape (p,).
        """
        import jax.numpy as jnp

        prediction = self.model.predict(x, params, self.test_mode, self.protocol)
        if self.is_complex:
            return jnp.stack([jnp.real(prediction), jnp.imag(prediction)])
        return jnp.real(prediction)[None, :]
