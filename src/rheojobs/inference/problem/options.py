"""The options that fits and samplings share: the test, its constants, the model's settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rheojobs.inference.data.protocol import PROTOCOL_CONSTANTS
from rheojobs.inference.data.test_modes import canonical_test_mode
from rheojobs.inference.options.kinds import Numbers, Settings, Text
from rheojobs.inference.options.option import Group, option

__all__ = ["ProblemOptions"]


@dataclass(kw_only=True)
class ProblemOptions:
    """Options of both fits and samplings."""

    test_mode: str | None = option(
        None,
        Text(canonical_test_mode, "MODE"),
        "Test mode: relaxation, creep, oscillation, flow_curve, startup or laos. Detected from "
        "the data by default.",
        group=Group.DATA,
        word="mode",
        is_stored=False,  # the dataset knows it
    )
    protocol: Mapping[str, float] = option(
        {},
        Numbers(PROTOCOL_CONSTANTS),
        "A constant of the test: gamma_dot (1/s), sigma_applied (Pa), gamma_0, omega (rad/s), "
        "sigma_0 (Pa).",
        group=Group.DATA,
        word="at",
        is_stored=False,
    )
    model_config: Mapping[str, Any] = option(
        {},
        Settings(),
        "A setting of the model itself, such as n_modes=6.",
        group=Group.MODEL,
        word="config",
    )
    fixed: Mapping[str, float] = option(
        {},
        Numbers(),
        "Keep a parameter at a value, such as eta=1e3.",
        group=Group.MODEL,
        word="fix",
    )
