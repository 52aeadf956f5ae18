from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtGui import QColor, QPalette

from rheojobs.qt.widgets.common.check_boxes import CheckBox


@pytest.mark.parametrize("ground", ["#efefef", "#303236"])
def test_a_box_is_seen_on_light_and_on_dark_ground(ground: str, qtbot: QtBot) -> None:
    box = CheckBox("words")
    qtbot.addWidget(box)
    palette = QPalette(QColor(ground))
    palette.setColor(QPalette.ColorRole.Base, QColor(ground).lighter(105))
    box.setPalette(palette)
    box.show()
    picture = box.grab().toImage()
    middle = box.height() // 2
    tones = [picture.pixelColor(x, middle).lightness() for x in range(8)]
    assert max(tones) - min(tones) > 50  # the outline, left of its middle
