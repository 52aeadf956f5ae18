"""The options that fits and samplings share: the test, its constants, the model's settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rheojobs.inference.data.protocol import protocol_option
from rheojobs.inference.data.test_modes import mode_option
from rheojobs.inference.options.kinds import Numbers, Ranges, Settings
from rheojobs.inference.options.option import Group, option

__all__ = ["ProblemOptions"]


@dataclass(kw_only=True)
class ProblemOptions:
    """Options of both fits and samplings."""

    # The dataset of a stored task knows both.
    test_mode: str | None = mode_option("data", word="mode", is_stored=False)
    protocol: Mapping[str, float] = protocol_option(is_stored=False)
    model_config: Mapping[str, Any] = option(
        {},
        Settings(),
        "A setting of the model itself: n_modes=6, or formula=rheojax for RheoJAX's own numbers.",
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
    bounds: Mapping[str, tuple[float, float]] = option(
        {},
        Ranges(),
        "Keep a parameter between these bounds: a fit searches there, a prior ends there. Those of "
        "a modulus, a viscosity or a time may reach beyond the model's.",
        group=Group.MODEL,
    )
