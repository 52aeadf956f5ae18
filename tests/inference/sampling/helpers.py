"""A short sampling that is stopped and goes on."""

from __future__ import annotations

from pathlib import Path

from tests.inference.helpers import decay_data, decay_model

from rheojobs.inference.sampling.task import SampleTask

COUNTS = {"num_warmup": 150, "num_samples": 250, "num_chains": 2}


def task(folder: Path | str, **changes: object) -> SampleTask:
    return SampleTask(decay_model(), decay_data(), **COUNTS | {"checkpoint": folder} | changes)


def kept(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*")) if folder.exists() else []
