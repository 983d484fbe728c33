"""The songs of the Lyrics page: what was requested, what was received, and their state."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from engine import protocol
from engine.errors import InputError
from engine.protocol import (
    Character,
    Failed,
    LyricsDone,
    LyricsStarted,
    MessageError,
    Novelty,
    SampleLyrics,
    SamplerAnswer,
)
from tui.formatting import clean
from tui.pages.model_page import Session
from tui.sources import history_songs
from tui.sources.history import History, Work
from tui.sources.restarting_process import ProcessEnded
from tui.sources.sampler import Answers
from tui.widgets.file_dialog import file_name

STATES = {
    "waiting": "○ waiting",
    "writing": "♪ writing",
    "end": "✓ the end",
    "length": "✓ full length",
    "stopped": "■ stopped",
    "failed": "✗",
}


_KEPT = ("number", "continued", "state", "seed", "seconds", "bits")  # in the history


@dataclass(eq=False)
class SongView:
    """A song, complete or being written."""

    id: int  # the id of its request
    request: SampleLyrics
    requested: float  # time of the request, then of the start of writing (monotonic, seconds)
    number: int = 0  # index among the songs of its request
    continued: bool = False  # its prompt is a part of another song
    state: str = "waiting"  # one of STATES
    seed: int | None = None  # the seed used; None until it is known
    text: str = ""  # without the prompt
    characters: list[Character] = field(default_factory=list)  # of the text
    novelty: str = ""  # how much is copied, in words; empty where that was not requested
    error: str = ""
    kept: bool = False  # whether it is in the history
    reopened: bool = False  # from the history, which keeps no more of its characters than the text
    seconds: float = 0.0  # of writing, so far
    surprise: float = 0.0  # bits, the sum over all characters so far, where that was requested
    bits: float | None = None  # the mean surprise per character; None until it is known

    @property
    def active(self) -> bool:
        """Whether more of the song may be received."""
        return self.state in {"waiting", "writing"}

    @property
    def refused(self) -> bool:
        """Whether it was refused: it counts as no song."""
        return self.state == "failed" and not self.text

    @property
    def whole(self) -> str:
        """The prompt and the text, such that they can be encoded as UTF-8."""
        return (self.request.prime + self.text).encode(errors="replace").decode()

    @property
    def file_name(self) -> str:
        """The name suggested for its file: `<prompt>-<artist>-<seed>.txt`."""
        seed = "" if self.seed is None else str(self.seed)
        return file_name(
            [self.request.prime, self.request.artist or "", seed], ".txt", default="lyrics"
        )

    @property
    def to_be_kept(self) -> bool:
        """Whether it has ended, has a text, and is not in the history yet."""
        return bool(self.text) and not self.active and not self.kept

    def stop(self) -> None:
        """End it if it is active."""
        if self.active:
            self.state = "stopped"

    def keep(self, history: History) -> None:
        """Add it to the history; raises WorkError."""
        self.kept = True
        result = {name: getattr(self, name) for name in _KEPT}
        history_songs.keep(history, self.request, self.text, result)

    def receive(self, answers: Answers, now: float) -> None:
        """Add answers about this song; ignore them once it has ended."""
        if not self.active:
            return
        text = []
        for answer in answers:
            match answer:
                case Character():
                    text.append(answer.text)
                    self.characters.append(answer)
                    self.surprise += answer.bits or 0
                case LyricsStarted(seed=seed):
                    self.seed, self.requested = seed + self.number, now
                    self.state = "writing"
        self.text += "".join(text)
        if self.request.bits and self.characters:
            self.bits = self.surprise / len(self.characters)
        self.seconds = now - self.requested
        match answers[-1]:
            case LyricsDone() as done:
                self.state, self.seconds, self.bits = done.reason, done.seconds, done.bits
                self.novelty = _novelty(done.novelty)
            case Failed(error=error) | ProcessEnded(error=error):
                self.state, self.error = "failed", error

    def before(self, index: int | None) -> str:
        """Return the prompt and the text before the character at `index`; None: the whole text."""
        return self.request.prime + "".join(character.text for character in self.characters[:index])

    def status(self, position: str = "") -> str:
        """Return the status line, the most important part first. position: such as "2 of 3"."""
        number = f"song {position}" if position else ""
        parts = [f"{STATES[self.state]} {self.error}".rstrip()]
        if self.state == "failed" and not self.text:
            return " · ".join(filter(None, (*parts, number)))
        parts.append(f"{len(self.text):,} chars")
        if self.text and self.seconds > 0:
            parts.append(f"{len(self.text) / self.seconds:,.0f}/s")
        parts.append(self.novelty)
        if self.seed is not None:
            parts.append(f"seed {self.seed}")
        by = self.request.artist or self.request.mix or ""
        temperature = f"temperature {self.request.options['temperature']:g}"
        parts += [number, clean(by), temperature, clean(self.request.model or "")]
        return " · ".join(part for part in parts if part)


def reopened(work: Work) -> SongView:
    """Return the song of a work of the history; raises InputError where it is damaged."""
    try:
        request = protocol.decode(json.dumps(work.settings).encode(), protocol.SAMPLER_REQUESTS)
        assert isinstance(request, SampleLyrics)
        text = str(work.result["text"])
        found = {name: work.result[name] for name in _KEPT}
        assert found["state"] in STATES
    except (MessageError, AssertionError, KeyError) as error:
        raise InputError(
            "This song was kept by another version and cannot be shown here: export it instead."
        ) from error
    characters = [Character(character) for character in text]
    return SongView(
        -work.id, request, 0.0, text=text, characters=characters, kept=True, reopened=True, **found
    )


def _novelty(novelty: Novelty | None) -> str:
    """Describe how much of a song is copied; empty where that was not requested."""
    if novelty is None:
        return ""
    if not novelty.longest:
        return "nothing copied"
    return f"{100 * novelty.copied:.0f} % copied, at most {novelty.longest} characters in a row"


class LyricsSession(Session[SongView]):
    """The songs written since the app was started; those of one request are written together."""

    def begin(
        self,
        request_id: int,
        request: SampleLyrics,
        now: float,
        continued: bool = False,
    ) -> SongView:
        """Add the songs of a request and return the first; arguments: see `SongView`."""
        songs = [
            SongView(request_id, request, now, number, continued) for number in range(request.count)
        ]
        self.add(*songs)
        return songs[0]

    def position(self, item: SongView) -> str:
        """Return the position of a song among those that were not refused."""
        written = [song for song in self.items if not song.refused]
        if item.refused or len(written) < 2:
            return ""
        return f"{written.index(item) + 1} of {len(written)}"

    def receive(self, answers: Answers, now: float) -> list[SongView]:
        """Add answers; return the songs that they are about.

        Answers to older requests are ignored.
        """
        songs = {song.number: song for song in self.active}
        received: dict[int, list[SamplerAnswer | ProcessEnded]] = {number: [] for number in songs}
        ids = {song.id for song in songs.values()}
        for answer in answers:
            if isinstance(answer, ProcessEnded) or answer.id in ids:
                one = answer.song if isinstance(answer, Character | LyricsDone) else None
                if one in received:
                    received[one].append(answer)
                elif one is None:
                    for some in received.values():
                        some.append(answer)
        changed = {number: some for number, some in received.items() if some}
        for number, some in changed.items():
            songs[number].receive(tuple(some), now)
        return [songs[number] for number in changed]

    def together(self, song: SongView) -> list[SongView]:
        """Return all songs of the song's request."""
        return [other for other in self.items if other.id == song.id]


def most_probable(songs: Sequence[SongView]) -> SongView | None:
    """Return the song with the fewest bits per character.

    None while any song is being written, for fewer than two songs, or if no bits are known.
    """
    known = [(song.bits, song.number) for song in songs if song.text and song.bits is not None]
    if len(songs) < 2 or not known or any(song.active for song in songs):
        return None
    best = min(known)[1]
    return next(song for song in songs if song.number == best)
