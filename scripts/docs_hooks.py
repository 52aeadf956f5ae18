"""Add pages from outside docs/ to the site, and turn links to other files of the checkout.

The pages in docs/ are also read where they lie, so their links to files outside docs/ are relative
to the checkout. On the site these point to the page made of the file, or to a copy of it.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changes.md",
    "benchmarks/README.md": "running-benchmarks.md",
}
"""Files of the checkout that are pages of the site; `docs/index.md` stands for the README."""

COPIED = ("examples",)
"""Folders of which each file is copied, for links to it."""

LINK = re.compile(r"(?<=\]\()(?!#|\w+:)([^)\s#]+)(#[^)\s]*)?(?=\))")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages and the copies."""
    for source, page in PAGES.items():
        if page != "index.md":
            text = (ROOT / source).read_text(encoding="utf-8")
            files.append(File.generated(config, page, content=turned(text, source, page)))
    for folder in COPIED:
        for path in sorted((ROOT / folder).glob("*.*")):
            if path.suffix == ".md":  # a page that is not part of the site
                continue
            place = path.relative_to(ROOT).as_posix()
            files.append(File.generated(config, place, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Turn the links of a page of docs/."""
    place = page.file.src_uri
    return markdown if place in PAGES.values() else turned(markdown, f"docs/{place}", place)


def turned(text: str, source: str, place: str) -> str:
    """Return the text of a file of the checkout as the site has it at `place`."""

    def link(match: re.Match[str]) -> str:
        to, anchor = match.groups(default="")
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), to))
        target = PAGES.get(target, target.removeprefix("docs/"))
        return posixpath.relpath(target, posixpath.dirname(place) or ".") + anchor

    return LINK.sub(link, text)
