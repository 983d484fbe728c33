"""One song of a visit to the Lyrics page: what was asked, what came, and how it stands."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.protocol import (
    Character,
    Failed,
    LyricsDone,
    LyricsStarted,
    Novelty,
    SampleLyrics,
    SamplerAnswer,
)
from tui.formatting import clean
from tui.sources.process import ProcessEnded
from tui.sources.sampler import Answers

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
    request: SampleLyrics
    asked: float  # when, in seconds of a steady clock
    score: str = ""  # the model's, as "2.01 bits/char"
    number: int = 0  # among the songs of its request
    continued: bool = False  # its prime is a part of another song
    state: str = "waiting"  # one of STATES
    seed: int | None = None  # the one used, once known
    text: str = ""  # without the prime
    characters: list[Character] = field(default_factory=list)  # of the text
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

    def receive(self, answers: Answers, now: float) -> str:
        """Add answers about this song; return the new characters, none once it has ended."""
        if not self.under_way:
            return ""
        text = []
        for answer in answers:
            match answer:
                case Character():
                    text.append(answer.text)
                    self.characters.append(answer)
                    self.surprise += answer.bits or 0
                case LyricsStarted(seed=seed):
                    self.seed, self.asked = seed + self.number, now
                    self.state = "singing"
        self.text += "".join(text)
        if self.request.bits and self.characters:
            self.bits = self.surprise / len(self.characters)
        self.seconds = now - self.asked
        match answers[-1]:
            case LyricsDone() as done:
                self.state, self.seconds, self.bits = done.reason, done.seconds, done.bits
                self.novelty = _novelty(done.novelty)
            case Failed(error=error) | ProcessEnded(error=error):
                self.fail(error)
        return "".join(text)

    def before(self, place: int | None) -> str:
        """The prime and the text before a character of the text; all of it without one."""
        return self.request.prime + "".join(character.text for character in self.characters[:place])

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
        parts += [place, clean(self.request.model or ""), self.score]
        return " · ".join(part for part in parts if part)


def _novelty(novelty: Novelty | None) -> str:
    """How much of a song is copied, in words; empty where that was not requested."""
    if novelty is None:
        return ""
    if not novelty.longest:
        return "nothing copied"
    return f"{100 * novelty.copied:.0f} % copied, at most {novelty.longest} characters in a row"


MAX_SONGS = 100  # songs


class Session:
    """The songs written since the page came up, the oldest first."""

    def __init__(self) -> None:
        self.songs: list[SongView] = []

    def begin(
        self, number: int, request: SampleLyrics, now: float, score: str, continued: bool = False
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

    def receive(self, answers: Answers, now: float) -> list[tuple[SongView, str]]:
        """Add answers; return the songs that they are about with their new characters.

        Answers to older requests are ignored.
        """
        songs = {song.number: song for song in self.under_way}
        received: dict[int, list[SamplerAnswer | ProcessEnded]] = {number: [] for number in songs}
        ids = {song.id for song in songs.values()}
        for answer in answers:
            if isinstance(answer, ProcessEnded) or answer.id in ids:
                one = answer.song if isinstance(answer, Character | LyricsDone) else None
                for number in songs if one is None else songs.keys() & {one}:
                    received[number].append(answer)
        return [
            (songs[number], songs[number].receive(tuple(some), now))
            for number, some in received.items()
            if some
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
