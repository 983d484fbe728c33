"""One song of a visit to the Lyrics page: what was asked, what came, and how it stands."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tui.formatting import clean
from tui.sources.answers import Heard, Letter
from tui.sources.sampler import Request

STATES = {
    "waiting": "○ waiting",
    "singing": "♪ singing",
    "end": "✓ the end",
    "length": "✓ full length",
    "stopped": "■ stopped",
    "failed": "✗",
}


@dataclass
class SongView:
    """A song, complete or on its way."""

    id: int  # of its request
    request: Request
    asked: float  # when, in seconds of a steady clock
    score: str = ""  # the model's, as "2.01 bits/char"
    number: int = 0  # among the songs of its request
    continued: bool = False  # its prime is a part of another song
    state: str = "waiting"  # one of STATES
    seed: int | None = None  # the one used, once known
    text: str = ""  # without the prime
    letters: list[Letter] = field(default_factory=list)  # the text's characters
    novelty: str = ""  # how much is copied, in words; empty where that was not asked
    error: str = ""
    seconds: float = 0.0  # of writing, so far
    surprise: float = 0.0  # bits, of all characters so far, where that was asked
    bits: float | None = None  # the surprise of a character on average, once known

    @property
    def under_way(self) -> bool:
        """Whether more of it may come."""
        return self.state in {"waiting", "singing"}

    @property
    def whole(self) -> str:
        """The prime and the text, fit to be written to a file."""
        return (self.request.prime + self.text).encode(errors="replace").decode()

    def hear(self, heard: Heard, now: float) -> str:
        """Take in what came; gives the new characters, none once the song is over."""
        if not self.under_way:
            return ""
        if heard.seed is not None:
            self.seed, self.asked = heard.seed + self.number, now
            self.state = "singing"
        self.text += heard.text
        self.letters += heard.letters
        if self.request.bits and self.letters:
            self.surprise += sum(letter.bits for letter in heard.letters)
            self.bits = self.surprise / len(self.letters)
        self.seconds = now - self.asked
        if heard.done:
            self.state, self.seconds = heard.done.reason, heard.done.seconds
            self.novelty, self.bits = heard.done.novelty, heard.done.bits
        if heard.error:
            self.fail(heard.error)
        return heard.text

    def before(self, place: int | None) -> str:
        """The prime and the text before a character of the text; all of it without one."""
        return self.request.prime + "".join(letter.text for letter in self.letters[:place])

    def fail(self, error: str) -> None:
        """End it with an error."""
        self.state, self.error = "failed", error

    def status(self, place: str = "") -> str:
        """One line, the most important first; place: as "song 2 of 3"."""
        parts = [f"{STATES[self.state]} {self.error}".rstrip()]
        if self.state == "failed" and not self.text:
            return " · ".join(filter(None, (*parts, place)))
        parts.append(f"{len(self.text):,} chars")
        if self.text and self.seconds > 0:
            parts.append(f"{len(self.text) / self.seconds:,.0f}/s")
        parts.append(self.novelty)
        if self.seed is not None:
            parts.append(f"seed {self.seed}")
        parts += [place, clean(self.request.model), self.score]
        return " · ".join(part for part in parts if part)


MAX_SONGS = 100  # songs


class Session:
    """The songs written since the page came up, the oldest first."""

    def __init__(self) -> None:
        self.songs: list[SongView] = []

    def begin(
        self, number: int, request: Request, now: float, score: str, continued: bool = False
    ) -> SongView:
        """Add the songs of a request of that number; gives the first."""
        songs = [
            SongView(number, request, now, score, place, continued)
            for place in range(request.count)
        ]
        self.songs = [*self.songs, *songs][-MAX_SONGS:]
        return songs[0]

    @property
    def under_way(self) -> list[SongView]:
        """Those of which more may come: all of the newest request."""
        return [song for song in self.songs if song.under_way]

    def stop(self) -> None:
        """Take nothing more in of those under way."""
        for song in self.under_way:
            song.state = "stopped"

    def hear(self, heard: Heard, now: float) -> list[tuple[SongView, str]]:
        """Take in what came; gives the songs that it is about with their new characters.

        An answer to an older request is about none.
        """
        return [
            (song, song.hear(heard, now))
            for song in self.under_way
            if (heard.died or heard.id == song.id) and heard.song in {None, song.number}
        ]

    def together(self, song: SongView) -> list[SongView]:
        """The songs that were written in step with one, itself too."""
        return [other for other in self.songs if other.id == song.id]

    def place(self, song: SongView) -> str:
        """Where it stands, as "song 2 of 3"; nothing to say of the only one."""
        if len(self.songs) == 1:
            return ""
        return f"song {self.songs.index(song) + 1} of {len(self.songs)}"

    def beside(self, song: SongView | None, steps: int) -> SongView | None:
        """The song so many steps later; without one, from after the newest."""
        if not self.songs:
            return None
        place = len(self.songs) if song is None else self.songs.index(song)
        return self.songs[min(max(place + steps, 0), len(self.songs) - 1)]


def most_probable(songs: Sequence[SongView]) -> SongView | None:
    """Of songs that have all ended, the one whose characters surprise the model least."""
    known = [(song.bits, song.number) for song in songs if song.text and song.bits is not None]
    if len(songs) < 2 or not known or any(song.under_way for song in songs):
        return None
    best = min(known)[1]
    return next(song for song in songs if song.number == best)
