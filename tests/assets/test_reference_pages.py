"""The generated pages of docs/ match the code."""

import pytest

from assets.make import reference_pages


@pytest.mark.parametrize("name", reference_pages.pages())
def test_pages_are_current(name: str) -> None:
    text = (reference_pages.DOCS / name).read_text(encoding="utf-8")
    assert text == reference_pages.pages()[name], "run python -m assets.make.reference_pages"
