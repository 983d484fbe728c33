"""The text of a song on the Lyrics page, shaded by surprise or by what is copied."""

from bisect import bisect_right
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

NAMES = {"plain": "no shading", "surprise": "shaded by surprise", "copies": "copies highlighted"}
LEGENDS = {
    "plain": "",
    "surprise": "stronger color: more surprising; ← → select a character",
    "copies": f"highlighted: {MIN_COPIED}+ characters copied from a training song; "
    "← → select a character",
}
UNSHADED = "this song was written without this shading: G writes it again, with its seed"


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

    _view = VIEWS[0]  # by which the song is shaded
    _levels: list[int]  # of the song's characters so far
    _count = 0  # the number of these characters

    def show(self, song: SongView, view: str) -> None:
        """Show another song, shaded by one of VIEWS."""
        self.writing = song.active
        self.show_text(song.request.prime, song.text)
        self._shade_anew(song, view)

    def update_song(self, song: SongView, view: str) -> None:
        """Show more of the song: its new characters, and its state."""
        new = song.characters[self._count :]
        self.append("".join(character.text for character in new))
        if view != self._view:
            self._shade_anew(song, view)
        elif new:
            changed = extend_levels(self._levels, view, new)
            self._count = len(song.characters)
            self.shade(self._levels, changed)
        self.writing = song.active

    def _shade_anew(self, song: SongView, view: str) -> None:
        self._view, self._levels, self._count = view, [], len(song.characters)
        extend_levels(self._levels, view, song.characters)
        self.shade(self._levels)


def request_fields(view: str) -> dict[str, Any]:
    """Return the fields that make a request collect what a view shows."""
    if view == "surprise":
        return {"bits": True, "alternatives": ALTERNATIVES}
    return {"novelty": MIN_COPIED} if view == "copies" else {}


def has_data(view: str, song: SongView) -> bool:
    """Return whether what a view shows was collected while the song was written."""
    fields = request_fields(view).keys() - {"bits"}  # songs side by side have the bits alone
    return not fields or (not song.reopened and all(getattr(song.request, one) for one in fields))


def legend(view: str, song: SongView | None) -> str:
    """Explain a view or, for a song that has no data for it, the remedy."""
    if song is None or has_data(view, song):
        return LEGENDS[view]
    return UNSHADED


def extend_levels(levels: list[int], view: str, characters: Sequence[Character]) -> int:
    """Add a level for each character that is shown: 0, 1 … len(STEPS), or COPIED.

    It adds none where nothing is shaded. Returns the index of the first level that has changed: a
    copied stretch is known only at its end.
    """
    changed = len(levels)
    if view == "plain":
        return changed
    for character in characters:
        level = bisect_right(STEPS, character.bits or 0) if view == "surprise" else 0
        levels += [level] * len(clean(character.text))
        if view == "copies" and character.copied:
            start = max(0, len(levels) - character.copied)
            levels[start:] = [COPIED] * (len(levels) - start)
            changed = min(changed, start)
    return changed


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
