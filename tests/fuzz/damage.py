"""Damaged copies of intact files, as strategies of hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

__all__ = ["damaged", "odd_names", "odd_text", "odd_values"]

MOST_DAMAGES = 4

PIECES = (
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\r",
    b"\n",
    b"\t;,|",
    b'"',
    b"\x1b[31m",
    b"\xc3\x28",
    b"nan",
    b"1e999",
    b"-0",
    b"9" * 5000,
    b"[" * 3000,
    b"{" * 3000,
    b'{"a":' * 3000,
    b"<a>" * 3000,
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>",
    b"&b;",
    b" " * 5000,
    b",1" * 2000,
    b"*a",
    b"&a ",
    b"!!python/object/apply:os.system ['touch marker']",
    "η¹²³٣½".encode(),
    "\u202e\u2028\ud7ff".encode(),
)
"""What is put into a file: marks of encodings, delimiters, escapes, deep nesting, long cells."""


@st.composite
def damaged(draw: st.DrawFn, intact: bytes) -> bytes:
    """Return a copy with up to four damages: cut, flipped, inserted, repeated, recoded."""
    data = bytearray(intact)
    for _ in range(draw(st.integers(1, MOST_DAMAGES))):
        place = draw(st.integers(0, len(data)))
        kind = draw(
            st.sampled_from(("cut", "flip", "flip", "insert", "insert", "drop", "repeat", "recode"))
        )
        if kind == "cut":
            del data[place:]
        elif kind == "flip" and place < len(data):
            data[place] ^= 1 << draw(st.integers(0, 7))
        elif kind == "insert":
            data[place:place] = draw(st.sampled_from(PIECES) | st.binary(min_size=1, max_size=8))
        elif kind == "drop":
            del data[place : place + draw(st.integers(1, 200))]
        elif kind == "repeat":
            piece = bytes(data[place : place + draw(st.integers(1, 200))])
            data[place:place] = piece * draw(st.integers(1, 30))
        elif kind == "recode":
            text = bytes(data).decode("utf-8", "replace")
            data = bytearray(text.encode(draw(st.sampled_from(("utf-16", "utf-32", "utf-16-be")))))
    return bytes(data)


odd_text = st.sampled_from(
    [
        "",
        " ",
        "\0",
        "\x1b[31mred",
        "a\nb",
        "__import__('os').system('touch marker')",
        "os:system",
        "../../marker",
        "/etc/passwd",
        "-rf",
        "{x}{y}{num_samples}",
        "[bold]",
        "[/]",
        "%s%n",
        "\ud800",
        "\udcff",
        "η" * 300,
        "9" * 5000,
        "(" * 500,
        "1" + "**9" * 200,
        "²",
        "nan",
        "-inf",
        "1e400",
        "0x10",
        "=",
        "a=",
        "=1",
        "G0=1e5",
        "G0=G0",
        "tau=normal(0,1)",
        "0",
        "-1",
        "1",
        "2:1",
        "1,2",
        "1e3",
        "none",
        "true",
        "null",
    ]
) | st.text(max_size=12)
"""Texts for options, names and fields: escapes, code, paths, numbers that are none."""

odd_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**30, 10**400, -(2**63), float("nan"), float("inf"), 1e308, -0.0])
    | odd_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd_text, inner, max_size=3),
    max_leaves=5,
)
"""Values of JSON of the wrong type, with NaN, infinity and huge integers."""

odd_names = st.sampled_from(
    [
        b"a\nb.csv",
        b"-rf.csv",
        b"\x1b[31mred.csv",
        b"\xff\xfe.csv",
        b"..csv",
        b" .csv",
        b"{x} {y}.csv",
        b"[bold].csv",
        b"a" * 240 + b".csv",
        b"a" * 300 + b".csv",
        b"\xe2\x80\xae.csv",
        b"%s.csv",
        b"a\\b.csv",
        b"*.csv",
        b"a\tb.xlsx",
        b"a.json",
        b"a.tri",
        b"a.gt",
        b"a.rdf",
    ]
)
"""Names of files: line ends, escapes, a leading dash, bytes that are no UTF-8, too long ones."""
