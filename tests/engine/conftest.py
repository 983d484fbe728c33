"""A home of its own for every test of the engine."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RNN_TUI_HOME", str(tmp_path / "home"))
    return tmp_path / "home"
