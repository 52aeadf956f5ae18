"""How soon the window can be used: painted, with its list of models there.

A process of its own, which the study asks once.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
from side_by_side.child import Mouth, serve


def _age() -> float:
    """Give the seconds since this process began.

    Not from `psutil`'s time of creation: that adds the boot's, which Linux tells in whole seconds.
    """
    if sys.platform != "linux":
        return time.time() - psutil.Process().create_time()
    fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    began = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - began


def _open(request: Mapping[str, Any], mouth: Mouth) -> None:
    """Open the window; send the seconds since the process began, and those it worked."""
    born = time.monotonic() - _age()
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from rheojobs.qt.app import main_window

    found: dict[str, float] = {}

    def look() -> None:
        (window,) = (
            widget
            for widget in QApplication.topLevelWidgets()
            if isinstance(widget, main_window.MainWindow)
        )
        if "painted" not in found:
            found["painted"] = time.monotonic() - born
        if window.model_picker.names.count() > 0:
            found["usable"] = time.monotonic() - born
            found["processor"] = time.process_time()  # of this process alone
            timer.stop()
            window.close()

    app = QApplication(sys.argv[:1])
    timer = QTimer(interval=5)
    timer.timeout.connect(look)
    timer.start()
    status = main_window.run([])
    del app
    mouth.say("result", **found, status=status)


if __name__ == "__main__":
    serve(_open)
