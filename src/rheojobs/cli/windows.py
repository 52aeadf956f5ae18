"""The commands that open a window: `gui` and `rheojax-gui`."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from rheojobs.cli.terminal.stopping import end_at_sigterm
from rheojobs.errors import InputError, MissingExtraError

__all__ = ["gui", "rheojax_gui"]


def gui(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", show_default=False, help="Data to open, or a workspace."),
    ] = None,
) -> int:
    """Open the window.

    Example: rheojobs gui sweep.csv
    """
    window = _of_a_window("rheojobs.qt.app.main_window")
    return int(window.run([str(file) for file in files or ()]))


def rheojax_gui(context: typer.Context) -> int:
    """Open RheoJAX's own window on this engine.

    Example: rheojobs rheojax-gui --import sweep.csv --protocol oscillation
    """
    needs_display = {"-h", "--help"}.isdisjoint(context.args)
    window = _of_a_window("rheojobs.integrations.rheojax.__main__", needs_display)
    return int(window.main(context.args, "rheojobs rheojax-gui"))


def _of_a_window(module: str, needs_display: bool = True) -> Any:
    """Import a module that opens a window, or say in one line why that is not possible."""
    if not any(importlib.util.find_spec(name) for name in ("PySide6", "PyQt6")):
        raise MissingExtraError(
            'the window needs PySide6, which is not installed: pip install "rheojobs[gui]"'
        )
    if importlib.util.find_spec("jax") is None:
        raise MissingExtraError(
            'the window needs JAX, which is not installed: pip install "rheojobs[inference]"'
        )
    has_display = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"} & os.environ.keys()
    if sys.platform == "linux" and needs_display and not has_display:
        # Qt would end the process by a signal, in five lines.
        raise InputError("the window needs a display: neither DISPLAY nor WAYLAND_DISPLAY is set")
    end_at_sigterm()
    try:
        return importlib.import_module(module)
    except (MissingExtraError, ModuleNotFoundError):
        raise  # `main` names the extra
    except ImportError as error:  # usually a system library that Qt needs is missing
        raise MissingExtraError(f"the window cannot be opened: {error}") from error
