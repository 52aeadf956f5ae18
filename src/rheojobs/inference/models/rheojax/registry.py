"""List and load RheoJAX's models, and probe which tests each can be run for.

RheoJAX is imported (3 s) only when a model is loaded.
"""

from __future__ import annotations

import copy
import functools
import hashlib
import importlib
import importlib.metadata
import importlib.util
import inspect
import logging
import math
import os
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rheojobs.errors import InputError, MissingExtraError, nearest, one_line
from rheojobs.inference.data.protocol import check_protocol
from rheojobs.inference.data.test_modes import TEST_MODES
from rheojobs.inference.models.mode_order import find_modes
from rheojobs.inference.models.model import Model
from rheojobs.inference.models.parameters import Parameter
from rheojobs.inference.models.rheojax.constructor_settings import settings_of
from rheojobs.inference.models.rheojax.function import RheojaxFunction
from rheojobs.inference.models.rheojax.patched_diffrax import solves_equations
from rheojobs.inference.models.rheojax.private_names import register_models, wants_forward_mode
from rheojobs.inference.models.rheojax.repair import is_original
from rheojobs.inference.models.rheojax.repair_table import BOUNDS, ORDERS, REPAIRS
from rheojobs.inference.models.rheojax.second_forms import ALTERNATIVES
from rheojobs.inference.models.settings import FORMULA, ModelSetting
from rheojobs.inference.programs.jax_setup import configure_jax
from rheojobs.inference.programs.kernel_cache import frozen

__all__ = [
    "RheojaxModel",
    "RheojaxPriors",
    "formulas",
    "load",
    "names",
    "register_all",
    "settings",
    "version",
]

_SERVO = (
    "RheoJAX's creep is run by a feedback controller whose own swings are part of the curve, "
    "and change with its time step"
)
_WAVE = "RheoJAX's function gives the stress wave over time, not G' and G'' over frequency"
_ITT = "RheoJAX solves it outside JAX, with a Prony series fitted anew for each set of parameters"
# Tests that RheoJAX 0.7.1 declares but that cannot be fitted; our tests compare this with
# tracing.
_REFUSED: dict[str, dict[str, str]] = {
    "HebraudLequeux": {
        "creep": _SERVO,
        "oscillation": "RheoJAX runs ten cycles for every frequency, with as many steps as the "
        "frequency and tau ask for: too long for a fit",
    },
    "ITTMCTIsotropic": dict.fromkeys(TEST_MODES, _ITT),
    "ITTMCTSchematic": dict.fromkeys(TEST_MODES, _ITT),
    "LatticeEPM": {"creep": _SERVO, "oscillation": _WAVE},
    "TensorialEPM": {"creep": _SERVO, "oscillation": _WAVE},
    "VLBNonlocal": {
        "flow_curve": "RheoJAX simulates the gap for every shear rate until the flow is steady: "
        "too long for a fit"
    },
}
# Their integrators take x[1] - x[0] as the step of all points.
_EVEN_STEPS = {
    "DMTLocal": ("startup", "relaxation", "creep", "laos"),
    "LatticeEPM": ("startup", "relaxation"),
    "TensorialEPM": ("startup", "relaxation"),
}
# Their steps, which RheoJAX makes fixed ones, are ours.
_SOLVED = {"DMTLocal"}
# Their relaxation is the stress after flow, not the modulus after a step of strain.
_STRESS_RELAXATION = {
    *("DMTLocal", "FIKH", "FMLIKH", "MIKH", "MLIKH", "STZConventional", "GiesekusSingleMode"),
    *("FluidityLocal", "FluidityNonlocal", "FluiditySaramitoLocal"),
    *("TNTCates", "TNTLoopBridge", "TNTMultiSpecies", "TNTSingleMode", "TNTStickyRouse"),
}
# Their modes are equal terms of a sum, in the order of these times.
_MODES = {"GeneralizedMaxwell": "tau", "GiesekusMultiMode": "lambda", "TNTMultiSpecies": "tau_b"}
_COMPLIANCE = ("Maxwell", "Zener", "SpringPot", "Fractional", "GeneralizedMaxwell", "SGR")

ORDER_PRIOR = {"type": "beta", "concentration1": 2.0, "concentration0": 2.0}
"""RheoJAX's prior of a fractional order; on other bounds than 0 and 1 it is scaled to them."""

_lock = threading.RLock()
_loaded: dict[tuple[str, Any], RheojaxModel] = {}
_instances: dict[tuple[str, Any], RheojaxModel] = {}


@dataclass(frozen=True, eq=False)
class RheojaxModel(Model):
    """One of RheoJAX's models.

    Attributes
    ----------
    probed : dict of str to bool
        The results of `probe` so far, if they hold for any number of points.
    """

    probed: dict[str, bool] = field(default_factory=dict, repr=False)

    def __reduce_ex__(self, protocol: Any) -> Any:
        # RheoJAX's instances are large and full of caches, and can be loaded by name anywhere.
        return load, (self.name, dict(self.config))

    def probe(self, test_mode: str, n: int, protocol: Mapping[str, float] | None = None) -> bool:
        """Implement `Model.probe`, once for each kind of test, and store the result on disk."""
        constants = check_protocol(protocol)
        self.check_test_mode(test_mode)
        key = " ".join((test_mode, *sorted(constants)))
        if key not in self.probed:
            self.probed[key] = super().probe(test_mode, n, constants)
            _keep_card(self)
        return self.probed[key]


@functools.cache
def version() -> str | None:
    """Return RheoJAX's version without importing it; None if it is not installed."""
    try:
        return importlib.metadata.version("rheojax")
    except importlib.metadata.PackageNotFoundError:
        return None


def formulas() -> str:
    """Return what predictions depend on: RheoJAX's version and a digest of our own formulas."""
    return f"{version()}+{_digest()}"


@functools.cache
def _digest() -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def names() -> tuple[str, ...]:
    """Return the names of all of RheoJAX's models; imports it.

    Raises
    ------
    MissingExtraError
        If RheoJAX is not installed.
    """
    return tuple(sorted(_registry().list_models()))


def settings(name: str) -> tuple[ModelSetting, ...]:
    """Return the settings of the model of that name, with their defaults; imports RheoJAX."""
    kind = _registry().get_info(name).plugin_class
    is_repaired = any(
        made_of == kind.__name__ and item.formula for (made_of, _), item in REPAIRS.items()
    )
    return settings_of(kind, is_repaired=is_repaired)


def register_all() -> None:
    """Import RheoJAX's models (3 s), so that loading one later costs nothing; as `names`."""
    _registry()


def load(name: str, config: Mapping[str, Any]) -> RheojaxModel:
    """Return the model of that name, made once; see `models.loading.load`."""
    key = _frozen(config)
    with _lock:
        if (name, key) not in _loaded:
            known = None if "rheojax.models" in sys.modules else _of_card(name, config, key)
            _loaded[name, key] = known or _made(name, config, key)
        return _loaded[name, key]


def _made(name: str, config: Mapping[str, Any], settings: Any) -> RheojaxModel:
    """Make the model itself, once."""
    with _lock:
        if (name, settings) not in _instances:
            _instances[name, settings] = _make(name, dict(config), settings)
        return _instances[name, settings]


def _of_card(name: str, config: Mapping[str, Any], settings: Any) -> RheojaxModel | None:
    """Return the model from its card on disk, with RheoJAX's function to be loaded later."""
    from rheojobs.inference.models.rheojax import model_cards

    if version() is None:
        return None
    function = model_cards.DeferredFunction(lambda: _made(name, config, settings))
    make = functools.partial(RheojaxModel, function=function, key=_key(name, settings))
    return model_cards.read(_card_name(name, settings), ALTERNATIVES, make)


def _key(name: str, settings: Any) -> tuple[Any, ...]:
    return ("rheojax", name, formulas(), settings)


def _card_name(name: str, settings: Any) -> str:
    return repr((name, settings))


def _keep_card(model: RheojaxModel) -> None:
    """Store a model's card on disk, with the results of its dry runs."""
    from rheojobs.inference.models.rheojax import model_cards

    made = _made(model.name, model.config, model.key[3])
    kind = type(made.function.instance).__name__  # type: ignore[attr-defined]
    model_cards.write(_card_name(model.name, model.key[3]), made, kind, model.probed)


@dataclass(frozen=True)
class RheojaxPriors:
    """RheoJAX's `bayesian_prior_factory` of one instance, centred on the caller's values.

    Attributes
    ----------
    instance : object
        The RheoJAX model; never changed.
    """

    instance: Any

    def __call__(
        self,
        name: str,
        lower: float | None,
        upper: float | None,
        values: Mapping[str, float] | None = None,
    ) -> Any:
        """Return a NumPyro distribution for a parameter or for the noise (``"sigma"``), or None.

        `values` are those that RheoJAX would have after its own fit; the defaults if not given.
        """
        instance = self.instance
        if values:
            instance = copy.copy(instance)
            instance.parameters = copy.deepcopy(instance.parameters)
            for key in instance.parameters.keys() & values.keys():
                instance.parameters.set_value(key, float(values[key]))
        return instance.bayesian_prior_factory(name, lower, upper)


def _registry() -> Any:
    if importlib.util.find_spec("rheojax") is None:
        raise MissingExtraError(
            "this model comes from RheoJAX, which is not installed: "
            'pip install "rheojobs[rheology]"'
        )
    # nlsq prints a banner if it finds a GPU; standard output is for results.
    os.environ.setdefault("NLSQ_SKIP_GPU_CHECK", "1")
    configure_jax()
    with _lock:
        try:
            package = importlib.import_module("rheojax.models")
            registry = importlib.import_module("rheojax.core.registry").ModelRegistry
        except ImportError as error:
            raise MissingExtraError(
                f'RheoJAX does not import ({one_line(error)}): pip install "rheojobs[rheology]"'
            ) from error
        register_models(package)
    # While a model is traced it gives warnings that matter only to its own fit and plots.
    logger = logging.getLogger("rheojax.models")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.ERROR)
    return registry


def _make(name: str, config: dict[str, Any], settings: Any) -> RheojaxModel:
    registry = _registry()
    info = registry.get_info(name)
    if info is None:
        raise InputError(f"there is no model {name!r}; {nearest(name, registry.list_models())}")
    kind = info.plugin_class
    takes = [key for key in inspect.signature(kind).parameters if key not in ("args", "kwargs")]
    for key in config:
        if key not in (*takes, FORMULA):
            what = nearest(key, takes) if takes else f"it has none but {FORMULA!r}"
            raise InputError(f"{name} has no setting {key!r}; {what}")
    original = is_original(config)
    try:
        instance = kind(**{key: value for key, value in config.items() if key != FORMULA})
    except Exception as error:  # any exception of a constructor given a wrong value
        raise InputError(f"{name} does not take these settings: {one_line(error)}") from error
    declared = tuple(mode for mode in TEST_MODES if mode in {str(p) for p in info.protocols})
    repairs = {
        mode: REPAIRS[kind.__name__, mode] for mode in declared if (kind.__name__, mode) in REPAIRS
    }
    refused = _REFUSED.get(kind.__name__, {})
    if original:
        warnings = {mode: f"RheoJAX's own formula: {item.fault}" for mode, item in repairs.items()}
    else:
        warnings = {mode: item.warning for mode, item in repairs.items() if item.warning}
        refused = refused | {mode: item.refusal for mode, item in repairs.items() if item.refusal}
    quantities = {"relaxation": "shear stress"} if kind.__name__ in _STRESS_RELAXATION else {}
    # Those that take the applied stress predict the strain, the others the compliance.
    if not kind.__name__.startswith(_COMPLIANCE):
        quantities["creep"] = "strain"
    narrowed = {mode: BOUNDS.get((kind.__name__, mode), {}) for mode in declared}
    other = ALTERNATIVES.get(kind.__name__)
    priors, limits = (
        None if rule is None or _is_switched_off(rule) else rule
        for rule in (
            getattr(instance, "bayesian_prior_factory", None),
            getattr(instance, "bayesian_parameter_bounds", None),
        )
    )
    return RheojaxModel(
        name=name,
        function=RheojaxFunction(instance, original),
        parameters=_parameters(instance, priors is not None),
        test_modes=tuple(mode for mode in declared if mode not in refused),
        description=(info.doc or "").strip().split("\n")[0],
        alternatives=(other,) if other is not None else (),
        flow_quantity=getattr(instance, "flow_quantity", None) or "stress",
        forward_mode=solves_equations(kind)
        or kind.__name__ in _SOLVED
        or wants_forward_mode(instance),
        prior_factory=None if priors is None else RheojaxPriors(instance),
        bounds_override=limits,
        key=_key(name, settings),
        config=config,
        refused={mode: refused[mode] for mode in declared if mode in refused},
        even_steps=tuple(
            mode
            for mode in _EVEN_STEPS.get(kind.__name__, ())
            if original or mode not in repairs or repairs[mode].formula is None
        ),
        modes=find_modes(list(instance.parameters), _MODES.get(kind.__name__, "")),
        quantities=quantities,
        warnings=warnings,
        narrowed={} if original else {mode: at for mode, at in narrowed.items() if at},
        orders=() if original else ORDERS.get(kind.__name__, ()),
    )


def _no_prior(self: Any, name: Any, lower: Any, upper: Any) -> None:
    """Return None: no prior of the model's own."""
    return None


def _same_bounds(self: Any, bounds: Any, x: Any, y: Any, test_mode: Any) -> Any:
    """Return the bounds unchanged."""
    return bounds


def _is_switched_off(rule: Any) -> bool:
    """Whether a model's rule only consists of a trivial `return`, as two rules of one model do."""
    code = getattr(rule, "__code__", None)
    return any(
        code is not None
        and (code.co_code, code.co_consts[1:]) == (other.co_code, other.co_consts[1:])
        for other in (_no_prior.__code__, _same_bounds.__code__)
    )


def _parameters(instance: Any, has_priors: bool) -> tuple[Parameter, ...]:
    """Return the parameters of a model, with what is known of their priors."""
    found = tuple(_parameter(instance.parameters.get(key)) for key in instance.parameters)
    if not has_priors:
        return found
    own = RheojaxPriors(instance)
    return tuple(
        replace(item, prior_is_centred=own(item.name, *item.bounds) is not None) for item in found
    )


def _parameter(parameter: Any) -> Parameter:
    lower, upper = parameter.bounds or (None, None)
    ends = (-math.inf if lower is None else lower, math.inf if upper is None else upper)
    is_order = parameter.name.lower().endswith("alpha") and 0.0 <= ends[0] < ends[1] <= 1.0
    return Parameter(
        name=parameter.name,
        default=None if parameter.value is None else float(parameter.value),
        bounds=(float(ends[0]), float(ends[1])),
        unit=parameter.units or "",
        description=parameter.description or "",
        prior=getattr(parameter, "prior", None) or (dict(ORDER_PRIOR) if is_order else None),
    )


def _frozen(config: Mapping[str, Any]) -> Any:
    try:
        return frozen(config)
    except TypeError as error:
        raise InputError(f"a model's settings are numbers, words and lists, not {error}") from None
