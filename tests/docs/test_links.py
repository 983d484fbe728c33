"""No link of the documentation is broken: files and headings exist. Nothing is fetched."""

from pathlib import Path

import pytest

from tests.docs import pages
from tests.docs.pages import CARDS, PAGES, ROOT


def broken(page: Path) -> list[str]:
    """Return the links of a page to files or headings that do not exist."""
    found = []
    for link in pages.links(page):
        if "://" in link or link.startswith("mailto:"):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in pages.anchors(target)):
            found.append(link)
    return found


@pytest.mark.parametrize("page", PAGES + CARDS, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_anchors_exist(page: Path) -> None:
    assert broken(page) == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# One, two: `three`\n\n[a](#one-two-three) [b](page.md#one-two-three) [c](#four) "
        "![d](gone.svg)\n[e](page.md#four) [f](https://example.org/#x)\n\n[g]: gone.md\n\n[g]\n"
    )
    assert broken(page) == ["#four", "gone.svg", "page.md#four", "gone.md"]
