"""Damaged and hostile settings of the window: `rheojobs.qt.app.layout`."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fuzz.damage import damaged, odd_text
from tests.fuzz.guard import examples, tried

pytest.importorskip("PySide6")

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QLabel, QMainWindow, QSplitter, QTabWidget

from rheojobs.qt.app.layout import restore_layout, save_layout

INTACT = b"[layout]\nversion=1\ngeometry=@ByteArray(\\x1\\xd9)\ntabs=1\nsplitter=@ByteArray(\\0)\n"


@pytest.fixture
def window(qtbot) -> QMainWindow:
    window, tabs, splitter = QMainWindow(), QTabWidget(), QSplitter()
    qtbot.addWidget(window)
    window.setCentralWidget(splitter)
    splitter.addWidget(tabs)
    splitter.setObjectName("splitter")
    tabs.setObjectName("tabs")
    for name in "ab":
        tabs.addTab(QLabel(name), name)
    return window


def _restored(window: QMainWindow, path: Path) -> None:
    settings = QSettings(str(path), QSettings.Format.IniFormat)
    assert tried(lambda: restore_layout(window, settings)) in (True, False)
    assert settings.group() == ""


@examples(30)
@given(damaged(INTACT))
def test_damaged_settings(window: QMainWindow, tmp_path: Path, content: bytes):
    path = tmp_path / f"{uuid.uuid4().hex}.ini"  # Qt keeps what it has read of a path
    path.write_bytes(content)
    _restored(window, path)


@examples(40)
@given(
    st.sampled_from(["version", "geometry", "tabs", "splitter"]),
    odd_text | st.sampled_from(["@Variant(\\0\\0\\0\\x7f\\0)", "@Invalid()", "@Rect(1 2)", "a, b"]),
)
def test_odd_values(window: QMainWindow, tmp_path: Path, name: str, value: str):
    path = tmp_path / f"{uuid.uuid4().hex}.ini"  # Qt keeps what it has read of a path
    fields = {"version": "1", "tabs": "1", name: value}
    text = "[layout]\n" + "".join(f"{key}={field}\n" for key, field in fields.items())
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    _restored(window, path)


def test_an_intact_layout_is_restored(window: QMainWindow, tmp_path: Path):
    settings = QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)
    save_layout(window, settings)
    assert restore_layout(window, settings)
