"""Output paths that cannot be written are refused before the work."""

from __future__ import annotations

from pathlib import Path

import pytest

from rheojobs import InputError
from rheojobs.cli.request import check_output


def test_an_output_that_could_not_be_written_is_refused_beforehand(tmp_path: Path):
    check_output("--json", Path("-"))
    check_output("--json", tmp_path / "new.json")
    for path, words in [
        (tmp_path, "is a folder"),
        (tmp_path / "no" / "x.png", "there is no folder"),
        (tmp_path / "x.bmp", "must end in .png"),
    ]:
        with pytest.raises(InputError, match=words):
            check_output("--plot", path, (".png",))
