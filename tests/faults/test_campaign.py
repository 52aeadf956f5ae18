"""A short fault campaign; `make faults` runs the long one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.faults.campaign import Campaign

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")


@pytest.mark.promise("on-disk-when-submitted", "same-draws", "nothing-left-behind")
@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.parametrize("faults", [3, 8])
def test_whatever_is_killed_nothing_is_lost_doubled_or_left(tmp_path: Path, faults: int) -> None:
    campaign = Campaign(tmp_path / "campaign", 5, ("oscillation", "function"), scale=0.4)
    try:
        assert campaign.run(faults) == faults
    finally:
        campaign.close()
