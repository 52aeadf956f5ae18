"""What is drawn of a running sampling: the preview, until there are draws."""

from __future__ import annotations

import io
import math
import re
from types import SimpleNamespace

from rich.console import Console

from rheojobs.cli.terminal.progress import JobDisplay
from rheojobs.engine import JobState, Progress

COUNTS = {"chains": [10, 12], "num_warmup": 100, "num_samples": 200, "divergences": 0}
PREVIEW = {
    "k": 0.3,
    "words": "preview: importance sampling at the maximum, k̂ = 0.30",
    "summary": {"G0": {"mean": 1000.0, "std": 10.0, "q05": 983.6, "q95": 1016.4}},
}
DRAWN = {"r_hat": {"G0": 1.0}, "ess_bulk": {"G0": 900.0}, "ess_tail": {"G0": 800.0}}


def drawn(**metrics: object) -> str:
    out = io.StringIO()
    console = Console(file=out, width=100, force_terminal=True, color_system=None)
    progress = Progress(22, 200, "warm-up", stage="warmup", metrics=COUNTS | metrics)
    job = SimpleNamespace(latest_progress=progress, state=JobState.RUNNING)
    console.print(JobDisplay(console, "sampling")._render(job))  # type: ignore[arg-type]
    return out.getvalue()


def test_a_preview_is_shown_as_such():
    text = drawn(preview=PREVIEW)
    assert "preview: importance sampling at the maximum, k̂ = 0.30" in text
    assert re.search(r"G0 +1000 ± 10 +5 % to 95 %: 984 … 1016", text)


def test_without_a_mean_the_quantiles_are_shown():
    row = {"mean": math.nan, "std": math.nan, "q05": 983.6, "q95": 1016.4}
    text = drawn(preview=PREVIEW | {"summary": {"G0": row}})
    assert re.search(r"G0 +– +5 % to 95 %: 984 … 1016", text)


def test_an_unreliable_one_has_words_only():
    words = "no reliable preview: importance sampling at the maximum, k̂ = 1.20"
    text = drawn(preview={"k": 1.2, "words": words, "summary": {}})
    assert words in text
    assert "G0" not in text


def test_draws_replace_it():
    text = drawn(**DRAWN)
    assert "preview" not in text
    assert "R-hat ≤ 1.000, ESS ≥ 800" in text
