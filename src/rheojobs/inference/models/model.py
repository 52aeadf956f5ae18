"""`Model`: a named function of x and parameters, from RheoJAX or from the user.

JAX is imported only when a model is evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from rheojobs.errors import InputError, nearest
from rheojobs.inference.data.protocol import check_protocol
from rheojobs.inference.data.test_modes import TEST_MODES
from rheojobs.inference.models import dry_run
from rheojobs.inference.models.parameters import (
    Alternative,
    Parameter,
    check_parameters,
    from_limits,
    resolve,
    unknown,
)
from rheojobs.inference.models.signature import Calling, function_key
from rheojobs.inference.programs.jax_setup import configure_jax

if TYPE_CHECKING:
    import jax

__all__ = ["Model"]

_QUANTITIES = {
    "relaxation": "relaxation modulus",
    "creep": "creep compliance",
    "oscillation": "complex modulus",
    "startup": "shear stress",
    "laos": "shear stress",
}


@dataclass(frozen=True, eq=False)
class Model:
    """A function of x and parameters that can be fitted and sampled.

    Attributes
    ----------
    name : str
        In messages and results.
    function : callable
        ``function(x, params)`` in JAX, with x of shape (n,) and params of shape (p,). It is given
        the test mode if it takes `test_mode` (or a third argument without default), and the
        constants of the test that it names. ``function(x, G0, tau)`` with the parameters one by
        one works too, if it names them as `parameters` does.
    parameters : tuple of Parameter
        In the order of `params`.
    test_modes : tuple of str
        Members of `rheojobs.inference.data.test_modes.TEST_MODES`.
    description : str
        One line for users.
    alternatives : tuple of Alternative
        Names that may be used in place of a parameter.
    flow_quantity : str
        The quantity predicted for a flow curve: ``"stress"`` or ``"viscosity"``.
    forward_mode : bool
        True where only forward-mode differentiation works.
    prior_factory : callable or None
        ``(name, lower, upper, values=None)`` -> NumPyro distribution, or None for the usual one;
        `values` (a fit's parameters) are what data-centred priors are centred on.
    bounds_override : callable or None
        ``(bounds, x, y, test_mode)`` -> bounds.
    key : tuple
        Hashable; equal keys mean equal predictions *within a process*. Only a key that starts
        with ``"rheojax"`` or ``"formula"`` holds beyond it (a user's function may call what is
        edited later).
    config : mapping
        The model's configuration.
    refused : mapping of str to str
        Test modes that the theory covers but that cannot be run here, and why.
    even_steps : tuple of str
        Test modes in which it steps from point to point, so that x must be evenly spaced.
    quantities : mapping of str to str
        The quantity predicted in a test mode, if it is not the usual one.
    warnings : mapping of str to str
        Test modes in which predictions are not to be trusted, and what is wrong with them.
    narrowed : mapping of str to mapping
        Test modes in which some parameters have narrower bounds, and these bounds.
    modes : tuple of tuple of str
        The parameters of each of several equal terms, such as
        ``(("tau_1", "G_1"), ("tau_2", "G_2"))``: fits and draws have these terms in the order
        of their first parameter, as long as bounds, priors and fixed values are the same for all.
    orders : tuple of tuple of str
        Pairs of parameters of which the first must not exceed the second: beyond, the model gives
        NaN.

    Raises
    ------
    InputError
        If a parameter, a test mode or the function's signature is not usable.
    """

    name: str
    function: Callable[..., Any]
    parameters: tuple[Parameter, ...]
    test_modes: tuple[str, ...] = TEST_MODES
    description: str = ""
    alternatives: tuple[Alternative, ...] = ()
    flow_quantity: str = "stress"
    forward_mode: bool = False
    prior_factory: Callable[..., Any] | None = None
    bounds_override: Callable[..., Any] | None = None
    key: tuple[Any, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    even_steps: tuple[str, ...] = ()
    quantities: Mapping[str, str] = field(default_factory=dict)
    warnings: Mapping[str, str] = field(default_factory=dict)
    narrowed: Mapping[str, Mapping[str, tuple[float, float]]] = field(default_factory=dict)
    modes: tuple[tuple[str, ...], ...] = ()
    orders: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", tuple(self.parameters))
        object.__setattr__(self, "test_modes", tuple(self.test_modes))
        object.__setattr__(self, "modes", tuple(map(tuple, self.modes)))
        _check_definition(self)
        if not self.key:
            key = function_key(self.function, self.name, self.parameters)
            object.__setattr__(self, "key", key)

    @classmethod
    def from_function(
        cls,
        function: Callable[..., Any],
        parameters: Mapping[str, tuple[float, ...]] | Iterable[Parameter],
        test_modes: Sequence[str] = TEST_MODES,
        name: str | None = None,
        description: str = "",
        **others: Any,
    ) -> Model:
        """Make a model from a plain JAX function.

        Parameters
        ----------
        function : callable
            As `Model.function`.
        parameters : mapping or iterable of Parameter
            ``{"G0": (lower, upper)}`` or ``{"G0": (lower, upper, default)}``, in the order of
            the function's `params`.
        test_modes : sequence of str or str
            The tests it can describe; all of them by default.
        name : str, optional
            The function's own name by default.
        description : str
            One line; the first of the function's docstring by default.
        **others
            Further fields of `Model`.

        Raises
        ------
        InputError
            As `Model`.
        """
        if isinstance(parameters, Mapping):
            parameters = [from_limits(key, limits) for key, limits in parameters.items()]
        lines = (getattr(function, "__doc__", None) or "").strip().splitlines()
        return cls(
            name=name or str(getattr(function, "__name__", type(function).__name__)),
            function=function,
            parameters=tuple(parameters),
            test_modes=(test_modes,) if isinstance(test_modes, str) else tuple(test_modes),
            description=description or (lines[0] if lines else ""),
            **others,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters' names, in the order of `params`."""
        return tuple(parameter.name for parameter in self.parameters)

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper bounds, each of shape (p,)."""
        limits = np.array([parameter.bounds for parameter in self.parameters], dtype=float)
        return limits[:, 0].copy(), limits[:, 1].copy()

    def parameter(self, name: str) -> Parameter:
        """Return the parameter of that name; `InputError` names the nearest if there is none."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise unknown(self.name, name, self.parameters, self.alternatives)

    def alternative(self, name: str) -> Alternative | None:
        """Return the alternative of that name, or None."""
        return next((other for other in self.alternatives if other.name == name), None)

    def quantity(self, test_mode: str) -> str:
        """Name the predicted quantity as in `data.SI_UNITS` (``"creep compliance"``)."""
        if test_mode == "flow_curve":
            return "viscosity" if self.flow_quantity == "viscosity" else "shear stress"
        return self.quantities.get(test_mode, _QUANTITIES[test_mode])

    def resolve_values(
        self, values: Mapping[str, float], base: Mapping[str, float] | None = None
    ) -> dict[str, float]:
        """Convert values given in either form to the model's own parameters.

        Parameters
        ----------
        values : mapping of str to float
            Of parameters and alternatives.
        base : mapping of str to float, optional
            Values of the parameters not in `values`; they are in the result. Without it, an
            alternative is converted with the defaults of the others.

        Returns
        -------
        dict of str to float
            By the model's own names.

        Raises
        ------
        InputError
            For an unknown name, a value that is no finite number or lies outside its bounds, or
            an alternative that is given along with the parameter it replaces.
        """
        return resolve(self.name, self.parameters, self.alternatives, values, base)

    def check_bounds(
        self, bounds: Mapping[str, tuple[float, float]]
    ) -> dict[str, tuple[float, float]]:
        """Return narrower bounds; `InputError` if they are of no parameter, or wider."""
        for name, limits in bounds.items():
            self.parameter(name).check_bounds(self.name, limits)
        return dict(bounds)

    def widened(self, bounds: Mapping[str, tuple[float, float]]) -> Self:
        """Return the model with bounds of the user's where they reach beyond its own."""
        wider = {}
        for item in self.parameters:
            (lower, upper), (least, most) = item.bounds, item.widest
            low, high = bounds.get(item.name, item.bounds)
            if (low < lower or high > upper) and least <= low < high <= most:
                wider[item.name] = (min(low, lower), max(high, upper))
        if not wider:
            return self
        parameters = tuple(
            item.within(wider[item.name]) if item.name in wider else item
            for item in self.parameters
        )
        return replace(self, parameters=parameters, key=(*self.key, ("bounds", *wider.items())))

    def derived(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return the alternatives' values for a full set of the model's own parameters."""
        return {other.name: float(other.from_parameters(values)) for other in self.alternatives}

    def check_test_mode(self, test_mode: str) -> None:
        """Raise `InputError`, listing the model's tests, unless the model describes this one."""
        if test_mode in self.refused:
            raise InputError(
                f"{self.name} cannot be run for {test_mode}: {self.refused[test_mode]}"
            )
        if test_mode not in self.test_modes:
            modes = ", ".join(self.test_modes) or "nothing that can be run here"
            raise InputError(f"{self.name} does not describe {test_mode!r}; it describes {modes}")

    def for_test(self, test_mode: str) -> Self:
        """Return the model with the bounds that its parameters have in that test."""
        limits = self.narrowed.get(test_mode)
        if not limits:
            return self
        parameters = (
            item.within(limits[item.name]) if item.name in limits else item
            for item in self.parameters
        )
        return replace(self, parameters=tuple(parameters), narrowed={})

    def concerns(self, test_mode: str) -> list[str]:
        """Return what is wrong with the model's predictions in that test."""
        found = self.warnings.get(test_mode)
        return [f"{self.name} in {test_mode}: {found}"] if found else []

    def check_x(self, test_mode: str, x: np.ndarray) -> None:
        """Raise `InputError` if the model needs evenly spaced x and x, shape (n,), is not."""
        if test_mode not in self.even_steps or len(x) < 3:
            return
        x = np.asarray(x, dtype=float)
        even = x[0] + (x[1] - x[0]) * np.arange(len(x))
        # The times that the model assumes may be off by 0.5% of their span, as rounded times are.
        if not np.max(np.abs(x - even)) <= 5e-3 * abs(x[-1] - x[0]):
            steps = np.diff(x)
            raise InputError(
                f"{self.name} steps from point to point in {test_mode}, so times must be evenly "
                f"spaced; these are {steps.min():.3g} to {steps.max():.3g} apart: resample them"
            )

    def predict(
        self,
        x: Any,
        params: Any,
        test_mode: str,
        protocol: Mapping[str, Any] | None = None,
    ) -> jax.Array:
        """Evaluate the model; pure, and traceable in x, params and the constants.

        Parameters
        ----------
        x : array, shape (n,)
            Time / s, angular frequency / rad s⁻¹ or shear rate / s⁻¹.
        params : array, shape (p,)
            In the order of `parameters`.
        test_mode : str
            One of `test_modes`.
        protocol : mapping, optional
            Constants of the test, as `MODE_CONSTANTS` names them.

        Returns
        -------
        jax.Array, shape (n,)
            Real; for oscillation complex, G' + i G''.
        """
        configure_jax()
        import jax.numpy as jnp

        out = Calling.of(self.function, self.names)(
            self.function, x, params, test_mode, protocol or {}
        )
        oscillation = test_mode == "oscillation"
        if oscillation and isinstance(out, (tuple, list)) and len(out) == 2:
            return jnp.asarray(out[0]) + 1j * jnp.asarray(out[1])
        out = jnp.asarray(out)
        if oscillation and out.ndim == 2 and out.shape[1] == 2 and not jnp.iscomplexobj(out):
            return out[:, 0] + 1j * out[:, 1]
        if out.ndim == 0:
            return jnp.broadcast_to(out, jnp.shape(x))
        return out

    def missing_protocol(
        self, test_mode: str, protocol: Mapping[str, float] | None = None
    ) -> tuple[str, ...]:
        """Name the constants that the model needs for that test and that are not given.

        This traces the model. Also empty if it cannot be determined.
        """
        return dry_run.trace(self, test_mode, 4, check_protocol(protocol)).missing

    def probe(self, test_mode: str, n: int, protocol: Mapping[str, float] | None = None) -> bool:
        """Check that the model runs as a pure function, without running it.

        Parameters
        ----------
        test_mode : str
            The test.
        n : int
            The number of points.
        protocol : mapping of str to float, optional
            Constants of the test.

        Returns
        -------
        bool
            Whether the prediction is complex.

        Raises
        ------
        InputError
            One line: which constants are missing, or why it cannot be run.
        """
        return dry_run.probe(self, test_mode, n, check_protocol(protocol))


def _check_definition(model: Model) -> None:
    if not model.name or not isinstance(model.name, str):
        raise InputError("a model needs a name")
    check_parameters(model.name, model.parameters, model.alternatives)
    for name in (name for terms in model.modes for name in terms):
        model.parameter(name)
    for mode in (*model.test_modes, *model.refused):
        if mode not in TEST_MODES:
            raise InputError(
                f"{model.name}: unknown test mode {mode!r}; {nearest(mode, TEST_MODES)}"
            )
    if model.flow_quantity not in ("stress", "viscosity"):
        raise InputError(f"{model.name}: flow_quantity is 'stress' or 'viscosity'")
    Calling.of(model.function, model.names)
