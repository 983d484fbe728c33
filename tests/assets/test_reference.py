"""The generated pages of docs/ are what the code says now."""

import pytest

from assets.make import reference


@pytest.mark.parametrize("name", reference.pages())
def test_pages_are_current(name: str) -> None:
    text = (reference.DOCS / name).read_text(encoding="utf-8")
    assert text == reference.pages()[name], "run python -m assets.make.reference"
