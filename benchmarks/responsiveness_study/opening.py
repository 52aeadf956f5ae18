"""How soon the window can be used: painted, with its list of models there.

Run as a module by the study, in a process of its own; prints what it found as a JSON line.
"""

from __future__ import annotations

import json
import os
import sys
import time

import psutil


def main() -> None:
    """Open the window, and print the seconds since the process began, and those it worked."""
    born = psutil.Process(os.getpid()).create_time()
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
            found["painted"] = time.time() - born
        if window.model_picker.names.count() > 0:
            found["usable"] = time.time() - born
            found["processor"] = time.process_time()  # of this process alone
            timer.stop()
            window.close()

    app = QApplication(sys.argv[:1])
    timer = QTimer(interval=5)
    timer.timeout.connect(look)
    timer.start()
    status = main_window.run([])
    del app
    print(json.dumps(found | {"status": status}))


if __name__ == "__main__":
    main()
