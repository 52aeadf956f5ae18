"""What a campaign has done, as a table and as JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Report"]


@dataclass
class Report:
    """What was done, at which stage and moment, and how long things took at most (s).

    Attributes
    ----------
    names : tuple of str
        What may be done.
    """

    names: tuple[str, ...]
    faults: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    slowest: dict[str, float] = field(default_factory=dict)

    def took(self, what: str, seconds: float) -> None:
        """Note how long something took."""
        self.slowest[what] = max(seconds, self.slowest.get(what, 0.0))

    def lines(self) -> list[str]:
        """Give it as a table."""
        stages = sorted({stage for _, stage, _ in self.faults})
        width = max(len(name) for name in self.names)
        lines = [f"{'':{width}}" + "".join(f"{stage:>11}" for stage in stages) + f"{'all':>7}"]
        for name in self.names:
            counts = [
                sum(n for (fault, at, _), n in self.faults.items() if (fault, at) == (name, stage))
                for stage in stages
            ]
            cells = "".join(f"{count or '':>11}" for count in counts)
            lines.append(f"{name:{width}}{cells}{sum(counts):>7}")
        moments: Counter[str] = Counter()
        for (_, _, moment), count in self.faults.items():
            moments[moment] += count
        lines.append("moments: " + ", ".join(f"{name} {n}" for name, n in moments.items()))
        lines += [f"at most {most:.2f} s: {what}" for what, most in self.slowest.items()]
        return lines

    def as_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        names = ("fault", "stage", "moment", "count")
        rows = [dict(zip(names, (*key, n), strict=True)) for key, n in self.faults.items()]
        return {"faults": rows, "slowest": self.slowest}
