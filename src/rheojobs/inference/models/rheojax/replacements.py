"""Replace predictions of RheoJAX's models that their `model_function` cannot make.

Each replacement is pure JAX: it calls the kernels of the model's own methods, or computes exactly
the limit that they approach.

Uses private parts of RheoJAX: `rheojax.utils.hl_kernels`, `_predict_*` of `TNTStickyRouse`, and
`_build_initial_state`, `_build_pde_rhs`, `_MAX_STEPS` and `diffrax` of `VLBNonlocal`'s module.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from typing import Any

from rheojobs.inference.models.rheojax.hebraud_lequeux import steady_stress

__all__ = ["INNER", "Inner"]

Inner = Callable[[Any, Any, Any, Mapping[str, Any]], Any]
"""``(instance, x, params, constants) -> prediction``; `constants` are those of the test."""

# For the Hébraud–Lequeux kernels: the grid that RheoJAX fits on, and as many steps of 25 substeps
# as keep its explicit scheme stable up to alpha = 1.
_BINS = 201
_GRID = 5.0
_STEPS = 1200
# From rest to a break rate e^17 times as high, as at Wi = 10^10, with a margin.
_NEWTON_STEPS = 40


def _hebraud_lequeux(
    kernel: str, drive: Callable[[Mapping[str, Any], Any], tuple[Any, ...]]
) -> Inner:
    """Run one of the kernels over time, in units of tau and sigma_c.

    The model has no other scales, so that one grid serves all parameters. In other units the
    grid and the step would depend on the parameters, as those that a fit by RheoJAX leaves in
    the instance do.
    """

    def predict(instance: Any, x: Any, params: Any, constants: Mapping[str, Any]) -> Any:
        import jax.numpy as jnp
        from rheojax.utils import hl_kernels

        alpha, tau, sigma_c = params
        at = jnp.asarray(x) / tau
        given = drive(constants, tau)
        times, stress = getattr(hl_kernels, kernel)(
            _STEPS, *given, alpha, 1.0, 1.0, jnp.max(at) / _STEPS, _GRID, _BINS
        )
        # After a step strain the stress begins at the strain, else at rest.
        first = given[0] if kernel == "relaxation_kernel" else 0.0
        stress = jnp.concatenate([jnp.asarray(first, dtype=float)[None], stress])
        values = jnp.interp(at, jnp.concatenate([jnp.zeros(1), times]), stress)
        return sigma_c * (values / first if kernel == "relaxation_kernel" else values)

    return predict


def _hebraud_lequeux_flow(instance: Any, x: Any, params: Any, constants: Mapping[str, Any]) -> Any:
    """Return the steady stress, which RheoJAX approximates by letting its grid flow.

    RheoJAX takes a second for 16 rates, is off by 4 % at a rate of 1 / tau, and by most of the
    stress if local stresses leave the grid, which ends at 5 sigma_c.
    """
    import jax.numpy as jnp

    alpha, tau, sigma_c = params
    rate = jnp.asarray(x)
    stress = steady_stress(jnp.maximum(jnp.abs(rate) * tau, 1e-9), alpha)
    return sigma_c * jnp.sign(rate) * stress


def _soft_glassy_laos(always: bool) -> Inner:
    """Return the stress wave of `simulate_laos`: linear response, softened at large strain.

    Parameters
    ----------
    always : bool
        Whether it softens at any amplitude, or only above 0.1.
    """

    def predict(instance: Any, x: Any, params: Any, constants: Mapping[str, Any]) -> Any:
        import jax.numpy as jnp

        amplitude, omega = constants["gamma_0"], constants["omega"]
        frequency = jnp.asarray(omega, dtype=float)[None]
        storage, loss = instance.model_function(frequency, params, "oscillation")[0]
        phase = omega * jnp.asarray(x)
        strain = amplitude * jnp.sin(phase)
        linear = storage * strain + loss * amplitude * jnp.cos(phase)
        softened = linear * jnp.maximum(1.0 - 0.1 * strain**2, 0.0)
        return softened if always else jnp.where(amplitude > 0.1, softened, linear)

    return predict


def _sticky_rouse(test_mode: str, *needed: str) -> Inner:
    """Run the model's own method, in a copy whose NumPy is JAX's.

    The method cannot be traced only because it stores a NumPy copy of the trajectory.
    """

    def predict(instance: Any, x: Any, params: Any, constants: Mapping[str, Any]) -> Any:
        import jax.numpy as jnp

        method = getattr(type(instance), f"_predict_{test_mode}")
        names = {**method.__globals__, "np": jnp}
        traced = types.FunctionType(method.__code__, names, method.__name__, method.__defaults__)
        modes = 2 * instance.n_modes
        moduli, times, sticky = params[0:modes:2], params[1:modes:2], params[modes]
        given = [constants[name] for name in needed]
        return traced(instance, jnp.asarray(x), *given, moduli, times + sticky, params[modes + 1])

    return predict


def _local_flow(instance: Any, x: Any, params: Any, constants: Mapping[str, Any]) -> Any:
    """Predict the nonlocal thixotropic model by the local one, which has no diffusion."""
    from rheojax.models.dmt.local import DMTLocal

    local: Any = DMTLocal(closure=instance.closure, include_elasticity=instance.include_elasticity)
    place = {name: k for k, name in enumerate(instance.parameters)}
    own = [params[place[name]] for name in local.parameters]
    return local.model_function(x, own, "flow_curve")


def _across_the_gap(test_mode: str) -> Inner:
    """Solve the transient-network model across the gap, with the equations of its simulations.

    Startup gives the stress at the wall, creep the mean strain.
    """

    def predict(instance: Any, x: Any, params: Any, constants: Mapping[str, Any]) -> Any:
        import jax.numpy as jnp
        from rheojax.models.vlb import nonlocal_model

        diffrax = nonlocal_model.diffrax
        named = {"nu": 0.0, "L_max": 10.0} | dict(zip(instance.parameters, params, strict=True))
        named |= {"dy": instance.dy, "gamma_dot_avg": constants.get("gamma_dot", 0.0)}
        # The state begins with the wall's stress.
        state = instance._build_initial_state()
        slopes = instance._build_pde_rhs()
        if test_mode == "startup":
            viscosity = named["G0"] / named["k_d_0"]
            state = state.at[0].set(viscosity * constants["gamma_dot"])
        else:
            slopes = _held_stress(slopes)
            state = jnp.append(state.at[0].set(constants["sigma_applied"]), 0.0)
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(slopes),
            diffrax.Tsit5(),
            0.0,
            jnp.max(x),
            None,
            state,
            args=named,
            saveat=diffrax.SaveAt(ts=jnp.asarray(x)),
            stepsize_controller=diffrax.PIDController(rtol=1e-4, atol=1e-6),
            max_steps=nonlocal_model._MAX_STEPS,
            throw=False,
        )
        values = solution.ys[:, 0 if test_mode == "startup" else -1]
        return jnp.where(solution.result == diffrax.RESULTS.successful, values, jnp.nan)

    return predict


def _held_stress(slopes: Callable[..., Any]) -> Callable[..., Any]:
    """Turn the equations for a mean shear rate into those for a constant stress.

    The state gets the mean strain as a last element.
    """

    def held(t: Any, state: Any, args: Mapping[str, Any]) -> Any:
        import jax.numpy as jnp

        slope = slopes(t, state[:-1], args)
        # The wall's stress follows the mean rate by RheoJAX's K = 10 G0; that in args is zero.
        return jnp.append(slope.at[0].set(0.0), -slope[0] / (10.0 * args["G0"]))

    return held


def _loop_bridge_flow(instance: Any, x: Any, params: Any, constants: Mapping[str, Any]) -> Any:
    """Return the steady stress of loops and bridges, the fixed point of RheoJAX's equations.

    All components follow from the rate b at which bridges break: S_yy = S_zz = 1/w, S_xy = Wi/w²
    and S_xx = 1/w + 2 Wi²/w³, where w = b tau_b and Wi = rate · tau_b; and b from the stretch that
    they make. RheoJAX solves the equations in time instead, for every rate: 0.25 s for 40.
    """
    import jax
    import jax.numpy as jnp

    modulus, tau_b, tau_a, force, _, viscosity = params
    rate = jnp.asarray(x)
    wi = jnp.abs(rate) * tau_b

    def newton(_: Any, log_w: Any) -> Any:
        # Concave and increasing: from below, Newton's steps reach the root without passing it.
        plain, sheared = jnp.exp(-log_w), 2.0 / 3.0 * wi**2 * jnp.exp(-3.0 * log_w)
        stretch = jnp.sqrt(plain + sheared)
        slope = 1.0 + force * (plain + 3.0 * sheared) / (2.0 * stretch)
        return log_w - (log_w - force * (stretch - 1.0)) / slope

    log_w = jax.lax.fori_loop(0, _NEWTON_STEPS, newton, jnp.zeros_like(wi))
    # Only this last step is differentiated: at the root, its derivatives are the root's.
    log_w = newton(0, newton(0, jax.lax.stop_gradient(log_w)))
    w = jnp.exp(log_w)
    bridges = 1.0 / (1.0 + tau_a * w / tau_b)
    return bridges * modulus * rate * tau_b / w**2 + viscosity * rate


INNER: Mapping[tuple[str, str], Inner] = {
    ("TNTLoopBridge", "flow_curve"): _loop_bridge_flow,
    ("HebraudLequeux", "flow_curve"): _hebraud_lequeux_flow,
    ("HebraudLequeux", "startup"): _hebraud_lequeux(
        "startup_kernel", lambda given, tau: (given["gamma_dot"] * tau,)
    ),
    ("HebraudLequeux", "relaxation"): _hebraud_lequeux(
        "relaxation_kernel", lambda given, tau: (given["gamma_0"],)
    ),
    ("HebraudLequeux", "laos"): _hebraud_lequeux(
        "laos_kernel", lambda given, tau: (given["gamma_0"], given["omega"] * tau)
    ),
    ("SGRConventional", "laos"): _soft_glassy_laos(always=False),
    ("SGRGeneric", "laos"): _soft_glassy_laos(always=True),
    ("TNTStickyRouse", "startup"): _sticky_rouse("startup", "gamma_dot"),
    ("TNTStickyRouse", "creep"): _sticky_rouse("creep", "sigma_applied"),
    ("TNTStickyRouse", "laos"): _sticky_rouse("laos", "gamma_0", "omega"),
    ("DMTNonlocal", "flow_curve"): _local_flow,
    ("VLBNonlocal", "startup"): _across_the_gap("startup"),
    ("VLBNonlocal", "creep"): _across_the_gap("creep"),
}
"""Replacements by RheoJAX's class and the test mode."""
