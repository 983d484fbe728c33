from pathlib import Path

import pytest

from tests.tui.page import use_models


@pytest.fixture(autouse=True)
def _empty_folder(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder, with the included and trained models of `fake_models`."""
    monkeypatch.chdir(tmp_path)
    use_models(monkeypatch)
