"""docs/licences.md has every package that is installed with rnn-tui, with its licence."""

from assets.make import licences


def test_the_page_is_current() -> None:
    lines = licences.PAGE.read_text(encoding="utf-8").splitlines()
    missing = {
        name
        for name, licence in licences.licences().items()
        if licences.row(name, licence) not in lines
    }
    assert not missing, "run python -m assets.make.licences"
