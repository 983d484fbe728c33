"""The pictures of the pages were drawn when their pages were ready."""

import html
import re

from tests.docs.pages import ROOT


def picture(name: str) -> str:
    return (ROOT / "docs" / f"{name}.svg").read_text()


def text(name: str) -> str:
    found = re.findall(r"<text[^>]*>([^<]*)</text>", picture(name))
    return html.unescape(" ".join(found)).replace("\xa0", " ")


def test_pictures_show_whole_works_and_no_message_twice() -> None:
    assert "✓ the end" in text("lyrics")
    assert text("music").count("no MIDI port") <= 1
    assert "variance" in text("map")
    assert "finished" in text("train")
    shades = set(re.findall(r'<rect fill="(#\w+)"', picture("neurons")))
    assert len(shades) > 6
