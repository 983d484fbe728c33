"""The generated pages of docs/ match the code."""

import pytest

from assets.make import reference


@pytest.mark.parametrize("name", reference.pages())
def test_pages_are_current(name: str) -> None:
    text = (reference.DOCS / name).read_text(encoding="utf-8")
    assert text == reference.pages()[name], "run python -m assets.make.reference"
