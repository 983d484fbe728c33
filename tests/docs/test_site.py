"""The site is built without a broken link or anchor, and has every page."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT


@pytest.mark.slow
def test_the_site_is_built(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="mkdocs-material, of the extra dev, is not installed")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("**/*.html"))) >= len(PAGES)
    assert "Mabel Rowe" in (tmp_path / "search" / "search_index.json").read_text()
