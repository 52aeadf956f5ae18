"""The repairs of models whose stress follows rate equations; `repair` says what an entry means."""

from __future__ import annotations

from rheojobs.inference.models.formulas import (
    fluidity_models,
    ikh_models,
    lattice_models,
    network_models,
    thixotropic_models,
)
from rheojobs.inference.models.rheojax.repair import Table, replaced, warned

__all__ = ["REPAIRS"]

_SOLVENT = "a hidden solvent, whose stiff equations RheoJAX's explicit solver gives up (all NaN)"
_FLOOR = "a hidden solvent of up to 1 % of the viscosity, or of the stress over 1000/s"
_NO_ELASTIC = "the elastic strain, stress/G, is missing"
_MAPPED = (
    "steps from one time of the data to the next: 0.2 to 5 % off, negative stress for strain steps "
    "above 1"
)
_HALF = "the structure is taken to be half broken down (0.5) when the relaxation begins"
_LATTICE = (
    f"explicit steps, {lattice_models.STEPS} over the longest time: more points do not make them "
    "finer, and stresses swing where a step exceeds the plastic time"
)
_FIRST = "the first time of the data is taken for the beginning, and their spacing for the step"
_EULER = (
    "forward Euler steps of the data's own spacing: 28 % off at 100 points, a factor of 1e5 at 40"
)
_REST = (
    "begins with bridges f_B_eq, whereas its kinetics rest at tau_b/(tau_a + tau_b): up to 3 times "
    "off"
)
_INERT_BRIDGES = "f_B_eq has no effect: the bridges at rest follow from tau_a and tau_b; fix f_B_eq"
_OWN_FLOW = (
    "the flow curve is Herschel and Bulkley's with parameters of its own, which no other test has: "
    "it is not the steady state of start-up (55 times apart at defaults)"
)
_ONE_POINT = "the gap stays uniform, so that its cooperative length has no effect; fix xi"
_CAPUTO = (
    "the structure's fractional derivative does not converge: 8 to 12 % of the stress at "
    "alpha_structure = 0.5, and start-up changes by 16 % from 100 to 1000 points; at small mu_p "
    "the equations themselves are unstable at short times, where breakdown outruns unloading"
)
_INTEGER = "alpha_structure has no effect: the structure follows an equation of order 1"
_GRID = (
    "stresses are on a grid of 201 bins and 1200 steps over the longest time: {size}; sigma_c is "
    "also the modulus, the yield strain being 1"
)

_NETWORKS: Table = {
    ("TNTSingleMode", "creep"): replaced(_SOLVENT, network_models.single_mode_creep),
    ("TNTCates", "creep"): replaced(_SOLVENT, network_models.cates_creep),
    ("TNTMultiSpecies", "creep"): replaced(
        f"{_FLOOR}: 17 % off early", network_models.multi_species_creep
    ),
    ("TNTStickyRouse", "creep"): replaced(
        f"{_FLOOR}: 77 % off early", network_models.sticky_rouse_creep
    ),
    ("TNTLoopBridge", "creep"): replaced(
        f"{_REST}; {_FLOOR}: 15 % off", network_models.loop_bridge_creep, _INERT_BRIDGES
    ),
    ("TNTLoopBridge", "startup"): replaced(
        _REST, network_models.loop_bridge_startup, _INERT_BRIDGES
    ),
    ("TNTLoopBridge", "laos"): replaced(_REST, network_models.loop_bridge_laos, _INERT_BRIDGES),
    ("TNTLoopBridge", "oscillation"): replaced(
        "the modulus is f_B_eq G, whereas the kinetics rest at tau_b/(tau_a + tau_b): G' and G'' "
        "are 3 times those of the other tests",
        network_models.loop_bridge_oscillation,
        _INERT_BRIDGES,
    ),
    ("VLBVariant", "creep"): replaced(
        "with a solvent the strain begins with a jump stress/G that the solvent forbids: a factor "
        "of 10 early",
        network_models.variant_creep,
    ),
    ("VLBMultiNetwork", "creep"): replaced(
        "with a solvent the strain begins with a jump that the solvent forbids (a factor of 10 "
        "early); without, 0.5 % off, and NaN at long times",
        network_models.multi_network_creep,
    ),
    ("VLBNonlocal", "startup"): replaced(
        "begins at the steady stress (10 times at short times), with a machine of finite "
        "stiffness and a hidden solvent",
        network_models.across_gap_startup,
        "with breakage='bell' or stress_type='fene' the equations are RheoJAX's: they begin at the "
        "steady stress, in a machine of stiffness 10 G0",
    ),
    ("VLBNonlocal", "creep"): replaced(
        f"{_FLOOR}: 37 % off early",
        network_models.across_gap_creep,
        "with breakage='bell' or stress_type='fene' the equations are RheoJAX's, with a solvent of "
        "at least 1 % of the viscosity",
    ),
    ("GiesekusSingleMode", "creep"): replaced(_SOLVENT, network_models.giesekus_creep),
    ("GiesekusSingleMode", "oscillation"): warned(
        "beta_cc (Cole-Cole) has an effect in this test alone: with another value than 1 the model "
        "contradicts its start-up, creep and flow curve"
    ),
    ("GeneralizedMaxwell", "creep"): replaced(
        "the strain is taken as linear between two times of the data: 8 % off at 20 points, and "
        "wrong if they are not in order",
        network_models.generalized_maxwell_creep,
    ),
    ("GeneralizedMaxwell", "laos"): warned(
        "the wave is the steady one, which the tests of other models reach after some cycles"
    ),
    ("HVMLocal", "creep"): replaced(
        "a hidden dashpot in parallel instead of the elastic strain: creep is missing",
        network_models.vitrimer_creep,
    ),
    ("HVNMLocal", "creep"): replaced(
        "a hidden dashpot in parallel: the strain stays where it begins",
        network_models.vitrimer_creep,
    ),
}

_HARDENING: Table = {
    ("MIKH", "creep"): replaced(
        "the solvent eta_inf is put in series: 1e3 to 1e5 times too large", ikh_models.creep
    ),
    ("MIKH", "startup"): replaced(f"{_MAPPED}; the viscosity eta is left out", ikh_models.startup),
    ("MIKH", "laos"): replaced(f"{_MAPPED}; the viscosity eta is left out", ikh_models.laos),
    ("MIKH", "relaxation"): replaced(
        "explicit steps, which are given up (NaN) where mu_p is small", ikh_models.relaxation, _HALF
    ),
    ("MLIKH", "creep"): replaced(_SOLVENT, ikh_models.creep),
    ("MLIKH", "startup"): replaced(_MAPPED, ikh_models.startup),
    ("MLIKH", "laos"): replaced(_MAPPED, ikh_models.laos),
    ("MLIKH", "relaxation"): replaced(
        "explicit steps, which are given up (NaN) where mu_p is small", ikh_models.relaxation, _HALF
    ),
    ("FIKH", "creep"): warned(f"{_NO_ELASTIC}; {_INTEGER}"),
    ("FIKH", "relaxation"): warned(f"{_INTEGER}; {_HALF}"),
    ("FIKH", "startup"): warned(_CAPUTO),
    ("FIKH", "laos"): warned(_CAPUTO),
    ("FIKH", "flow_curve"): replaced(
        "the backstress (C/gamma_dyn)^(1/m) and heating are missing: 9 to 25 times too small",
        ikh_models.flow_curve,
    ),
    ("FIKH", "oscillation"): replaced(
        "simulated at a strain of 0.01 with 100 Euler steps a cycle: G' 10 to 39 % off at low "
        "frequencies, and less where that strain yields",
        ikh_models.oscillation,
    ),
    ("FMLIKH", "creep"): warned(
        "each mode is given the whole stress, and their strains are added: 100 % off; " + _INTEGER
    ),
    ("FMLIKH", "relaxation"): warned(f"{_INTEGER}; {_HALF}"),
    ("FMLIKH", "startup"): warned(_CAPUTO),
    ("FMLIKH", "laos"): warned(_CAPUTO),
    ("FMLIKH", "flow_curve"): replaced(
        "the backstress (C/gamma_dyn)^(1/m) and heating are missing: 9 to 25 times too small",
        ikh_models.flow_curve,
    ),
    ("FMLIKH", "oscillation"): replaced(
        "simulated at a strain of 0.01 with 100 Euler steps a cycle: G' 10 to 39 % off at low "
        "frequencies, and less where that strain yields",
        ikh_models.oscillation,
    ),
}

_FLUIDITY: Table = {
    ("FluidityLocal", "creep"): replaced(_NO_ELASTIC, fluidity_models.local_creep),
    ("FluidityLocal", "relaxation"): replaced(
        "begins at tau_y whatever sigma_0 is", fluidity_models.local_relaxation
    ),
    ("FluidityLocal", "flow_curve"): warned(_OWN_FLOW),
    ("FluidityNonlocal", "creep"): replaced(_NO_ELASTIC, fluidity_models.gap_creep, _ONE_POINT),
    ("FluidityNonlocal", "relaxation"): replaced(
        "begins at tau_y whatever sigma_0 is", fluidity_models.gap_relaxation, _ONE_POINT
    ),
    ("FluidityNonlocal", "startup"): replaced(
        "explicit steps of stiff equations, which are given up (NaN) at defaults",
        fluidity_models.gap_startup,
        _ONE_POINT,
    ),
    ("FluidityNonlocal", "laos"): replaced(
        "explicit steps of stiff equations, which are given up (NaN) at defaults",
        fluidity_models.gap_laos,
        _ONE_POINT,
    ),
    ("FluiditySaramitoLocal", "creep"): replaced(
        "the normal stress, which start-up has, and eta_s are missing",
        fluidity_models.saramito_creep,
    ),
    ("FluiditySaramitoLocal", "startup"): replaced(
        "eta_s has no effect", fluidity_models.saramito_startup
    ),
    ("FluiditySaramitoLocal", "laos"): replaced(
        "eta_s has no effect", fluidity_models.saramito_laos
    ),
    ("FluiditySaramitoLocal", "oscillation"): replaced(
        "a Maxwell fluid of time 1/(G f_age), whereas the model is elastic below yield, beside its "
        "solvent",
        fluidity_models.saramito_oscillation,
    ),
    ("FluiditySaramitoLocal", "flow_curve"): warned(
        "the flow curve is Herschel and Bulkley's with parameters of its own: 1.4 to 4 times the "
        "steady stress of start-up"
    ),
    ("FluiditySaramitoNonlocal", "creep"): replaced(
        "the strain is summed over the data's own spacing: 40 to 60 % off at 5 to 40 points",
        fluidity_models.saramito_gap_creep,
        _ONE_POINT,
    ),
    ("FluiditySaramitoNonlocal", "startup"): warned(_ONE_POINT),
    ("FluiditySaramitoNonlocal", "flow_curve"): warned(
        "the flow curve is Herschel and Bulkley's with parameters of its own, not the steady state "
        "of start-up"
    ),
}

_STEPPED: Table = {
    ("DMTLocal", "startup"): replaced(_EULER, thixotropic_models.startup),
    ("DMTLocal", "laos"): replaced(_EULER, thixotropic_models.laos),
    ("DMTLocal", "relaxation"): replaced(
        f"{_EULER}; begins at 100 Pa whatever sigma_0 is", thixotropic_models.relaxation, _HALF
    ),
    ("DMTLocal", "creep"): replaced(_FIRST, thixotropic_models.creep),
    ("LatticeEPM", "startup"): replaced(_FIRST, lattice_models.startup, _LATTICE),
    ("LatticeEPM", "relaxation"): replaced(_FIRST, lattice_models.relaxation, _LATTICE),
    ("LatticeEPM", "flow_curve"): warned(
        "each stress depends by up to 0.2 % on which other rates are asked for: the disorder is "
        "drawn for all of them together"
    ),
    ("TensorialEPM", "startup"): replaced(_FIRST, lattice_models.startup, _LATTICE),
    ("TensorialEPM", "relaxation"): replaced(_FIRST, lattice_models.relaxation, _LATTICE),
    ("HebraudLequeux", "startup"): warned(
        _GRID.format(size="7 to 18 % off at rates of 0.1 to 1 over tau, 59 % at 5")
    ),
    ("HebraudLequeux", "relaxation"): warned(_GRID.format(size="33 % off at late times")),
    ("HebraudLequeux", "laos"): warned(_GRID.format(size="1 to 5 % off")),
}

REPAIRS: Table = {**_NETWORKS, **_HARDENING, **_FLUIDITY, **_STEPPED}
