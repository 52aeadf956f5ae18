"""Find the tables in XML: rows of cells, points with named values, or columns of values."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from xml.etree import ElementTree
from xml.parsers import expat

from rheojobs.errors import InputError

__all__ = ["is_xml", "tables_of_xml"]

_ROWS = {"row", "tr", "record", "datapoint", "point", "datarow", "measpoint", "measuringpoint"}
_CELLS = {"cell", "td", "th", "data", "value", "c", "v", "item", "property", "col", "field"}
_COLUMNS = {"column", "series", "variable", "channel", "quantity", "datacolumn"}
_MOST_CELLS = 10_000_000
"""Far more than a table has: a few cells with high indices, or columns of unequal length, would
be filled up to more than memory holds."""

_NAMES = ("name", "title", "label", "variable", "quantity")


def is_xml(data: bytes) -> bool:
    """Whether the bytes of a file are XML."""
    start = data[:200].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return re.match(rb"<(\?xml|export\b|workbook\b|html\b|table\b)", start, re.I) is not None


def tables_of_xml(data: bytes) -> list[tuple[str, list[list[str]]]]:
    """Return the name and the cells of each table, row by row.

    Raises
    ------
    InputError
        If the XML is damaged, or holds no table.
    """
    try:
        _refuse_definitions(data)
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise InputError(f"damaged XML ({error}): export the table as CSV or Excel") from error
    try:
        tables = [table for table in _tables(root, "") if len(table[1]) > 0]
    except RecursionError as error:
        raise InputError("no table: the XML is nested too deeply") from error
    if tables:
        return tables
    kind = "a layout of RheoCompass" if b"Rheo.Repository" in data else "XML"
    raise InputError(f"{kind} without measured points: export the table as CSV or Excel")


def _refuse_definitions(data: bytes) -> None:
    """Refuse entities of the file's own, each of which may stand for any amount of text.

    The parser finds them, whatever the encoding and however far from the beginning.
    """

    class _Begun(Exception):  # noqa: N818 - the end of the search
        pass

    def doctype(name: str, system: str | None, public: str | None, has_subset: int) -> None:
        if has_subset:
            raise InputError("XML with definitions of its own is not read: export the table as CSV")

    def element(name: str, attributes: object) -> None:
        raise _Begun

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = element
    with contextlib.suppress(_Begun, expat.ExpatError):  # damage is reported by the next parser
        parser.Parse(data, True)


def _tables(parent: ElementTree.Element, title: str) -> Iterator[tuple[str, list[list[str]]]]:
    title = _title(parent) or title
    rows = [child for child in parent if _tag(child) in _ROWS]
    columns = [child for child in parent if _tag(child) in _COLUMNS and len(_values(child)) > 1]
    if rows:
        yield title, _grid(rows)
    elif columns:
        yield title, _transposed(columns)
    taken = set(map(id, (*rows, *columns)))
    for child in parent:
        if id(child) not in taken:
            yield from _tables(child, title)


def _title(element: ElementTree.Element) -> str:
    """Return the name of an element: an attribute, or a child that is called so."""
    named = _attribute(element, *_NAMES)
    if named and _tag(element) != "property":
        return named
    for child in element:
        if _tag(child) in ("name", "title") or (
            _tag(child) == "property" and (_attribute(child, "name") or "").casefold() == "name"
        ):
            return _text(child)
    return ""


def _grid(rows: list[ElementTree.Element]) -> list[list[str]]:
    """Return the cells of rows; the names of values, if they have any, are the first row."""
    header: list[str] = []
    units: list[str] = []
    grid: list[list[str]] = []
    count = 0
    for row in rows:
        names = [_name(child) for child in row]
        if not len(row) and row.attrib:
            names = [key.rpartition("}")[2] for key in row.attrib]
            cells = list(row.attrib.values())
        else:
            cells = _cells(row)
        count += len(cells)
        _check_count(count)
        if all(names) and len(set(names)) == len(names) > 1 and not header and not grid:
            header, units = names, [_attribute(child, "unit", "units") or "" for child in row]
        grid.append([cell.strip() for cell in cells])
    above = [header] if header else []
    return [*above, *([units] if any(units) else []), *grid]


def _check_count(cells: int) -> None:
    if cells > _MOST_CELLS:
        raise InputError(f"an XML table of more than {_MOST_CELLS:,} cells: export it as CSV")


def _cells(row: ElementTree.Element) -> list[str]:
    cells: list[str] = []
    for child in row:
        place = _attribute(child, "index") or ""  # Excel's XML leaves out empty cells
        if place.isdecimal() and len(cells) < int(place) - 1 < 10_000:
            cells += [""] * (int(place) - 1 - len(cells))
        cells.append(_text(child) or _attribute(child, "value") or "")
    return cells


def _transposed(columns: list[ElementTree.Element]) -> list[list[str]]:
    values = [_values(column) for column in columns]
    longest = max(map(len, values))
    _check_count(longest * len(values))
    names = [_title(column) or f"column {k}" for k, column in enumerate(columns, 1)]
    units = [_attribute(column, "unit", "units") or "" for column in columns]
    padded = [column + [""] * (longest - len(column)) for column in values]
    return [
        names,
        *([units] if any(units) else []),
        *(list(row) for row in zip(*padded, strict=False)),
    ]


def _values(column: ElementTree.Element) -> list[str]:
    return [_text(child) for child in column if _tag(child) in _CELLS and len(child) == 0]


def _name(child: ElementTree.Element) -> str:
    """Return the name of a value: an attribute, or the tag if that is one."""
    return _attribute(child, *_NAMES) or ("" if _tag(child) in _CELLS else child.tag.split("}")[-1])


def _attribute(element: ElementTree.Element, *names: str) -> str | None:
    found = {key.rpartition("}")[2].casefold(): value for key, value in element.attrib.items()}
    return next((found[name] for name in names if name in found), None)


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2].casefold() if isinstance(element.tag, str) else ""


def _text(element: ElementTree.Element) -> str:
    return "".join(element.itertext()).strip()
