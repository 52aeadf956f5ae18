"""The command `read`: how a file is understood, before anything is fitted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from rheojobs.cli import report
from rheojobs.cli.outputs import Outputs
from rheojobs.cli.request import file_of
from rheojobs.inference.data.dataset import Dataset
from rheojobs.inference.data.reading.options import ReadOptions
from rheojobs.inference.data.reading.preview import TableSeen, table_of
from rheojobs.inference.data.reading.read import read
from rheojobs.inference.data.units import shown_unit

__all__ = ["show_reading"]

SECTIONS_SHOWN = 20


def show_reading(file: Path, options: dict[str, Any], outputs: Outputs) -> int:
    """Show or write how a file is understood; return the exit status.

    The table is shown even if it cannot be interpreted: it shows which option would help.
    """
    with file_of(file) as path:
        table = table_of(path, ReadOptions(**options))
        if outputs.json is None and table is not None:
            _show_sections(outputs.tables, table)
            _show_columns(outputs.tables, table)
        dataset = read(path, **options)
    if not outputs.write_plain(_plain(dataset, table)):
        report.show_data(outputs.tables, dataset)
    return 0


def _show_sections(console: Console, table: TableSeen) -> None:
    """Print the sections of a file with several, and mark the one that is read."""
    if len(table.sections) < 2:
        return
    grid = Table.grid(padding=(0, 2))
    for number, title in enumerate(table.sections[:SECTIONS_SHOWN], 1):
        mark = "←" if number == table.step else ""
        grid.add_row(f"section {number}", Text(title or "without a title"), mark)
    console.print(grid)
    more = len(table.sections) - SECTIONS_SHOWN
    if more > 0:
        console.print(f"… and {more} more")


def _show_columns(console: Console, table: TableSeen) -> None:
    """Print the columns: what each is taken for, and its first values."""
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 2, 0, 0))
    for head in ("column", "name", "quantity", "unit", "used as", "first values"):
        shown.add_column(head, overflow="fold")
    used = {number: role for role, number in table.chosen.items()}
    for column in table.columns:
        cells = [row[column.number - 1] for row in table.rows if len(row) >= column.number]
        texts = (column.name, column.quantity, shown_unit(column.unit), used.get(column.number, ""))
        values = ", ".join(cell.strip() for cell in cells)
        shown.add_row(str(column.number), *map(Text, texts), Text(values, style="dim"))
    console.print(Padding(shown, (0, 0, 1, 0), expand=False))


def _plain(dataset: Dataset, table: TableSeen | None) -> dict[str, Any]:
    """Return all that is known of the data, as JSON has it."""
    from dataclasses import asdict

    from rheojobs.inference.results.json_format import plain

    found: dict[str, Any] = {"sections": [], "step": None, "columns": [], "chosen": {}}
    if table is not None:
        seen = asdict(table)
        found = {name: seen[name] for name in found}
    fields = ("name", "test_mode", "quantity", "x_unit", "y_unit", "protocol", "notes")
    arrays = ("x", "y", "sigma")
    content = {name: getattr(dataset, name) for name in (*fields, *arrays)}
    return dict(plain(found | content))
