"""XML that hides definitions or asks for more cells than a table has is refused."""

from __future__ import annotations

import pytest

from rheojobs import InputError
from rheojobs.inference.data.reading.formats.xml_tables import tables_of_xml

ENTITY = "<!DOCTYPE t [<!ENTITY a 'b'>]><t><row><c>&a;</c></row></t>"


@pytest.mark.parametrize(
    "data",
    [
        ENTITY.encode(),
        f"<?xml version='1.0'?><!--{'x' * 6000}-->{ENTITY}".encode(),
        f"<?xml version='1.0' encoding='utf-16'?>{ENTITY}".encode("utf-16"),
    ],
)
def test_definitions_are_refused_wherever_they_stand(data: bytes):
    with pytest.raises(InputError, match="definitions of its own"):
        tables_of_xml(data)


def test_a_document_type_without_definitions_is_read():
    data = b"<!DOCTYPE t><t><row><c>1</c><c>2</c></row></t>"
    assert tables_of_xml(data) == [("", [["1", "2"]])]


def test_unequal_columns_are_not_filled_up_without_bound():
    short, long = (
        b"<column><v>1</v><v>2</v></column>",
        b"<column>%s</column>" % (b"<v>1</v>" * 20_000),
    )
    with pytest.raises(InputError, match="cells"):
        tables_of_xml(b"<t>" + short * 1_000 + long + b"</t>")
