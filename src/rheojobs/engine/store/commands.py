"""What others may want of a job's owner, as the store keeps it: a word, or a word and a number.

Knows states; must not know the store.
"""

from __future__ import annotations

from rheojobs.engine.states import JobState

__all__ = ["REQUESTS", "priority_request", "requested_priority"]

REQUESTS = {
    "cancel": tuple(state for state in JobState if not state.is_terminal),
    "pause": (JobState.RUNNING,),
    "resume": (JobState.RUNNING, JobState.PAUSED),
}
"""The words, and the states of a job in which each has a meaning."""

_PRIORITY = "priority "


def priority_request(priority: int) -> str:
    """Give the wish that a job gets this priority."""
    return f"{_PRIORITY}{priority}"


def requested_priority(request: str) -> int | None:
    """Give the priority that a wish asks for; None where it asks for something else."""
    number = request.removeprefix(_PRIORITY)
    return int(number) if number != request and number.lstrip("-").isdecimal() else None
