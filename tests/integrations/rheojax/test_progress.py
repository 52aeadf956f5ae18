"""Progress in few words: percent, a short text for the status bar, a longer one for the step."""

from __future__ import annotations

import pytest

from rheojobs.engine.events import Progress
from rheojobs.integrations.rheojax.progress import message_of


def sampling(done: int, **more: object) -> Progress:
    metrics = {"chains": [done] * 4, "num_warmup": 500, "num_samples": 1000, "divergences": 0}
    stage = "warmup" if done < 500 else "sampling"
    return Progress(4 * done, 6000, "", stage=stage, metrics=metrics | more)


def test_a_sampling():
    assert message_of(sampling(250), 1.0)["percent"] == 16
    found = message_of(
        sampling(
            1000,
            divergences=1,
            r_hat={"G0": 1.001, "tau": 1.0234},
            ess_bulk={"G0": 800.0, "tau": 431.7},
            time_remaining=42.4,
        ),
        75.0,
    )
    assert found["percent"] == 66
    assert found["short"] == "sampling"
    words = "sampling, 2,000 draws, 1 divergence, R-hat 1.023, ESS 432, 42 s left"
    assert found["message"] == words
    assert found["details"] == f"1 min 15 s: {words}"
    assert (found["stage"], found["divergences"]) == ("sampling", 1)


def test_a_fit_grows_and_never_reaches_the_end():
    percents = []
    for k in range(200):
        progress = Progress(k, 1000, "", stage="fit", metrics={"loss": 12.5})
        percents.append(message_of(progress, 0.1)["percent"])
    assert percents == sorted(percents)
    assert percents[0] == 0
    assert percents[-1] <= 100
    assert message_of(progress, 0.1)["message"] == "iteration 199, loss 12.5"


@pytest.mark.parametrize("stage", ["prepare", "compile", "start", ""])
def test_before_there_are_numbers_there_is_no_percentage(stage):
    found = message_of(Progress(0, 0, "compiling " * 20, stage=stage), 7300.0)
    assert found["percent"] == 0
    assert len(found["short"]) <= 15
    assert len(found["message"]) <= 60
    assert found["details"].startswith("2 h 01 min: ")
