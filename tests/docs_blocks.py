"""Find the blocks of code of the README and the documentation, and what they say of themselves."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ROOT", "Block", "blocks_of", "command_lines", "pages"]

ROOT = Path(__file__).parents[1]

FENCE = re.compile(
    r"^ *(?:<!-- not run: (?P<reason>[^\n]*) -->\n *)?```(?P<language>\w*)\n(?P<code>.*?)^ *```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """A block of code of a page.

    Attributes
    ----------
    page : str
        The page, relative to the checkout.
    language : str
        As the fence has it; may be empty.
    code : str
        What it holds.
    reason : str
        Why it is not run, if a comment above it says so.
    """

    page: str
    language: str
    code: str
    reason: str


def pages() -> list[str]:
    """Return the README, the contributors' page and all pages of docs/."""
    found = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/**/*.md"))
    return ["README.md", "CONTRIBUTING.md", *found]


def blocks_of(page: str, language: str | None = None) -> list[Block]:
    """Return the blocks of a page, in their order: all, or those of a language."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = [
        Block(page, match["language"], textwrap.dedent(match["code"]), match["reason"] or "")
        for match in FENCE.finditer(text)
    ]
    return [block for block in found if language in (None, block.language)]


def command_lines(page: str) -> list[str]:
    """Return the lines of a terminal on a page, without prompts and comments."""
    lines: list[str] = []
    for block in blocks_of(page):
        if block.language in ("", "sh", "console"):
            lines += block.code.splitlines()
    bare = [re.sub(r"^\w*\$ +", "", re.sub(r"(^|\s)# .*$", "", line)).strip() for line in lines]
    return [line for line in bare if line]
