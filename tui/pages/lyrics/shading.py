"""The text of a song on the Lyrics page, shaded by surprise or by what is copied."""

from collections.abc import Sequence
from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from engine.protocol import Character
from tui.formatting import NOTHING, clean
from tui.pages.lyrics.session import SongView
from tui.widgets.song_text import SongText

VIEWS = ("plain", "surprise", "copies")
STEPS = (1.0, 2.5, 4.5, 7.0)  # each: bits of surprise from which the level is one higher
COPIED = len(STEPS) + 1  # the level of what is copied
MIN_COPIED = 20  # characters: shorter stretches are common by chance
ALTERNATIVES = 5  # shown for a character

LEGENDS = {
    "plain": "",
    "surprise": "stronger color: more surprising; ← → select a character",
    "copies": f"highlighted: {MIN_COPIED}+ characters copied from a training song; "
    "← → select a character",
}


class LyricsText(SongText):
    """One song of the session, shaded by one of VIEWS, with a character that can be selected."""

    BINDING_GROUP_TITLE = "Song"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "select(-1)", "Back", show=False, id="lyrics.text.left",
                tooltip="Select the previous character, at first the last one"),
        Binding("right", "select(1)", "Forward", show=False, id="lyrics.text.right",
                tooltip="Select the next character; a click selects one too"),
    ]  # fmt: skip
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"song-text--level{level}" for level in range(1, COPIED + 1)
    }
    DEFAULT_CSS = """
    LyricsText {
        & > .song-text--level1 { background: $warning 15%; }
        & > .song-text--level2 { background: $warning 35%; }
        & > .song-text--level3 { background: $error 40%; }
        & > .song-text--level4 { background: $error 70%; }
        & > .song-text--level5 { background: $success 30%; text-style: underline; }
    }
    """

    def show(self, song: SongView, view: str) -> None:
        """Show another song, shaded by one of VIEWS."""
        self.writing = song.active
        self.show_text(song.request.prime, song.text)
        self.shade(levels(view, song.characters))

    def update_song(self, song: SongView, text: str, view: str) -> None:
        """Show more of the song: new characters, and its state."""
        self.append(text)
        self.shade(levels(view, song.characters))
        self.writing = song.active


def request_fields(view: str) -> dict[str, Any]:
    """Return the fields that make a request collect what a view shows."""
    if view == "surprise":
        return {"bits": True, "alternatives": ALTERNATIVES}
    return {"novelty": MIN_COPIED} if view == "copies" else {}


def levels(view: str, characters: Sequence[Character]) -> list[int]:
    """Return a level for each character shown: 0, 1 … len(STEPS), or COPIED.

    The list is empty where nothing is shaded.
    """
    if view == "plain":
        return []
    result: list[int] = []
    for character in characters:
        level = sum((character.bits or 0) >= step for step in STEPS) if view == "surprise" else 0
        result += [level] * len(clean(character.text))
        if view == "copies" and character.copied:
            start = max(0, len(result) - character.copied)
            result[start:] = [COPIED] * (len(result) - start)
    return result


def describe(view: str, character: Character) -> str:
    """Describe a character in words; empty where the view shows nothing about it."""
    if view == "copies":
        if character.copied:
            return f"{character.copied} characters copied from {clean(character.source)}"
        return "no copied stretch ends here"
    if view != "surprise" or not character.alternatives:
        return ""
    shares = (f"{_name(text)} {100 * share:.0f} %" for text, share in character.alternatives)
    most_probable = " · ".join(shares)
    return f"{_name(character.text)} {character.bits or 0:.1f} bits; most probable: {most_probable}"


def _name(text: str) -> str:
    """Return a visible name for a character, also for blanks and control characters."""
    return {"": "the end", "\n": "⏎", " ": "␣"}.get(text, clean(text) or NOTHING)
