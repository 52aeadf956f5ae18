"""Small files that grow without bound when they are opened; of `rheojobs.inference.data.reading`.

Each is refused, soon and in one line.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.fuzz.guard import tried

from rheojobs import InputError, read

openpyxl = pytest.importorskip("openpyxl")

SHEET = "xl/worksheets/sheet1.xml"
HEAD = (
    b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/'
    b'2006/main"><sheetData>'
)
TAIL = b"</sheetData></worksheet>"
LAUGHS = '<!ENTITY a0 "lol">' + "".join(
    f'<!ENTITY a{k} "{f"&a{k - 1};" * 10}">' for k in range(1, 10)
)


def _with_sheet(*parts: bytes) -> bytes:
    book, plain, packed = openpyxl.Workbook(), io.BytesIO(), io.BytesIO()
    book.save(plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            with new.open(name, "w") as member:
                member.writelines(parts if name == SHEET else [old.read(name)])
    return packed.getvalue()


def _blank() -> bytes:
    return _with_sheet(HEAD, *[b" " * 1_000_000] * 600, TAIL)


def _far_apart() -> bytes:
    near = b'<row r="1"><c r="A1"><v>1</v></c></row>'
    return _with_sheet(HEAD + near + b'<row r="200000"><c r="CV200000"><v>1</v></c></row>' + TAIL)


def _of_entities(head: str, encoding: str) -> bytes:
    text = f"{head}<!DOCTYPE r [{LAUGHS}]><table><row><c>&a9;</c></row></table>"
    return text.encode(encoding)


BOMBS: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "blanks in a workbook": ("a.xlsx", _blank, "unpacks to"),
    "cells far apart": ("a.xlsx", _far_apart, "too many"),
    "entities": ("a.xml", lambda: _of_entities("<?xml version='1.0'?>", "utf-8"), "definitions"),
    "entities in UTF-16": (
        "a.xml",
        lambda: _of_entities("<?xml version='1.0' encoding='utf-16'?>", "utf-16"),
        "definitions",
    ),
    "entities behind a remark": (
        "a.xml",
        lambda: _of_entities(f"<?xml version='1.0'?><!--{'x' * 6000}-->", "utf-8"),
        "definitions",
    ),
    "columns of unequal length": (
        "a.xml",
        lambda: (
            b"<Export>"
            + b"<column><v>1</v><v>2</v></column>" * 2_000
            + b"<column>"
            + b"<v>1</v>" * 20_000
            + b"</column></Export>"
        ),
        "cells",
    ),
    "cells with high indices": (
        "a.xml",
        lambda: b"<Export>" + b'<row><c Index="9999">1</c></row>' * 2_000 + b"</Export>",
        "cells",
    ),
    "deep XML": (
        "a.xml",
        lambda: b"<Export>" + b"<a>" * 200_000 + b"</a>" * 200_000 + b"</Export>",
        "nested too deeply",
    ),
    "blanks behind a constant": ("a.gt", lambda: b"a=" + b" " * 60_000 + b"=\n", "no rows"),
    "deep JSON": ("a.json", lambda: b"[" * 200_000, "neither a table"),
    "one long line": ("a.csv", lambda: b"1," * 200_000, "characters"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused(tmp_path: Path, name: str):
    file, content, words = BOMBS[name]
    path = tmp_path / file
    path.write_bytes(content())
    error = tried(lambda: read(path))
    assert isinstance(error, InputError)
    assert words in str(error)


def test_a_long_table_of_xml_is_read_in_time_proportional_to_it(tmp_path: Path):
    rows = b"".join(b"<row><Time>%d</Time><Modulus>9</Modulus></row>" % k for k in range(1, 40_000))
    path = tmp_path / "long.xml"
    path.write_bytes(b"<Export>" + rows + b"</Export>")
    found = tried(lambda: read(path, mode="relaxation"), seconds=15.0)  # it took 60
    assert len(found) == 39_999


def test_a_huge_name_of_a_column_does_not_fill_the_message(tmp_path: Path):
    path = tmp_path / "long.csv"
    path.write_text(f"a,{'b' * 90_000}\n1,2\n2,3\n")
    error = tried(lambda: read(path))
    assert "bbb…" in str(error)
