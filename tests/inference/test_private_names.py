"""Names that other packages do not promise, and that we reach for: that they are there still."""

from __future__ import annotations

import importlib
import importlib.util
import re
from pathlib import Path

import pytest

import rheojobs

ROOT = Path(rheojobs.__file__).parent
REACHES = {
    "inference/programs/private_jax.py": (
        "jax._src.compilation_cache:_cache",
        "jax._src.compilation_cache:_cache_initialized",
        "jax._src.compilation_cache:reset_cache",
    ),
    "inference/models/rheojax/patched_diffrax.py": (
        "diffrax:diffeqsolve",
        "diffrax:ForwardMode",
        "diffrax:PIDController",
        "diffrax:RESULTS.successful",
    ),
    "inference/models/rheojax/private_names.py": (
        "rheojax.models:_ensure_all_registered",
        "rheojax.models.ikh.mikh:MIKH._extract_time_strain",
    ),
    "inference/models/rheojax/private_equations.py": (
        "rheojax.models.hvm._kernels:hvm_total_stress_shear",
        "rheojax.models.hvm._kernels:hvm_ber_rate_constant",
        "rheojax.models.hvm._kernels_diffrax:_make_startup_vector_field",
        "rheojax.models.hvm._kernels_diffrax:_hvm_initial_state",
        "rheojax.models.hvnm._kernels:hvnm_total_stress_shear",
        "rheojax.models.hvnm._kernels_diffrax:_make_hvnm_startup_vector_field",
        "rheojax.models.hvnm._kernels_diffrax:_hvnm_initial_state",
        "rheojax.models.hvnm._kernels_diffrax:_default_hvnm_args",
    ),
    "inference/models/rheojax/replacements.py": (
        "rheojax.utils.hl_kernels:startup_kernel",
        "rheojax.utils.hl_kernels:relaxation_kernel",
        "rheojax.utils.hl_kernels:laos_kernel",
        "rheojax.models.tnt.sticky_rouse:TNTStickyRouse._predict_startup",
        "rheojax.models.tnt.sticky_rouse:TNTStickyRouse._predict_creep",
        "rheojax.models.tnt.sticky_rouse:TNTStickyRouse._predict_laos",
        "rheojax.models.vlb.nonlocal_model:VLBNonlocal._build_initial_state",
        "rheojax.models.vlb.nonlocal_model:VLBNonlocal._build_pde_rhs",
        "rheojax.models.vlb.nonlocal_model:_MAX_STEPS",
        "rheojax.models.vlb.nonlocal_model:diffrax",
    ),
}
MARKS = (
    r"jax\._src",
    r"import_module\(\"diffrax|import diffrax|from diffrax",
    r"_ensure_all_registered|_use_forward_mode_ad|_extract_time_strain|_omega_laos",
    r"hl_kernels|_build_pde_rhs",
    r"_startup_vector_field|instance\._kinetics",
    r"instance\._breakage",
)
"""What the reaches of one file look like in its text."""


@pytest.mark.parametrize(
    ("file", "name"), [(file, name) for file, names in REACHES.items() for name in names]
)
def test_the_name_is_there(file: str, name: str) -> None:
    module, _, path = name.partition(":")
    if importlib.util.find_spec(module.partition(".")[0]) is None:
        pytest.skip(f"{module} is not installed")
    lost = f"{name}, which src/rheojobs/{file} reaches for, is gone in the installed version"
    try:
        found: object = importlib.import_module(module)
    except ImportError as error:
        pytest.fail(f"{lost}: {error}")
    for part in path.split("."):
        assert hasattr(found, part), lost
        found = getattr(found, part)


def test_instances_have_the_attributes_that_we_set() -> None:
    pytest.importorskip("rheojax")
    from rheojax.models.dmt.local import DMTLocal
    from rheojax.models.tnt.sticky_rouse import TNTStickyRouse

    lost = "which models/rheojax/private_names.py sets, is gone in the installed RheoJAX"
    local = DMTLocal()
    for name in ("_gamma_0", "_omega_laos"):
        assert hasattr(local, name), f"DMTLocal.{name}, {lost}"
    from rheojax.models.hvnm.local import HVNMLocal
    from rheojax.models.vlb.variant import VLBVariant

    read = "which models/rheojax reads, is gone in the installed RheoJAX"
    for name in ("_breakage", "_stress_type"):
        assert hasattr(VLBVariant(), name), f"VLBVariant.{name}, {read}"
    for name in ("_kinetics", "_include_damage", "_include_dissociative"):
        assert hasattr(HVNMLocal(), name), f"HVNMLocal.{name}, {read}"
    names = set()
    for member in vars(TNTStickyRouse).values():
        names |= set(getattr(getattr(member, "__code__", None), "co_names", ()))
    assert "_relaxation_sigma_0" in names, f"TNTStickyRouse._relaxation_sigma_0, {lost}"


@pytest.mark.parametrize("mark", MARKS)
def test_one_file_alone_reaches_for_it(mark: str) -> None:
    files = {
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        if re.search(mark, path.read_text(encoding="utf-8"))
    }
    assert len(files) == 1
    assert files <= set(REACHES), f"the file that has {mark} is not among those listed here"
