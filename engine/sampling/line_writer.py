"""Write songs line by line: several versions of each line, of which the best is kept.

The versions (candidates) of a line are written side by side as a batch. The one of highest mean log
probability wins, less what it repeats of the song. Characters that lead out of the known words are
left out; the form of the song decides which lines are repeated, where sections part and where the
song ends. The characters of a line are yielded when it has been chosen.

S: songs; V: indices of the codec; R: candidates that are being written.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.data.codecs import END, UNKNOWN
from engine.data.words import APOSTROPHES, find_words, is_letter
from engine.frame_spec import BEGIN
from engine.inference.network import State, copy_songs, join_songs, select_songs
from engine.sampling.decoding import (
    SamplingParams,
    apply_guidance,
    break_lines,
    choose,
    log_sum_exp,
    match_weight,
    restrict,
)
from engine.sampling.form import Place, end_lean, find_place, split_sections
from engine.sampling.known_words import KnownWords, open_word
from engine.sampling.songs import BIT, Character, GeneratedSong, Logits, most_probable

if TYPE_CHECKING:
    from engine.sampling.lyrics import LyricsStream

MAX_LINE = 100  # characters: a longer line is broken at its next space
REPEAT_LENGTH = 12  # characters in sequence that count as repeated if they occurred before
REPEAT_COST = 1.0  # nats per repeated character
UNBALANCED_COST = 0.3  # nats per character of a line with a quote or bracket left open
RHYME_GAIN = 0.5  # nats per character by which a line that rhymes may be less probable
_AFTER_RHYME = ",.!?;:"  # what may follow the last word of a line


@dataclass(eq=False)
class SongState:
    """A song with the state of the network after its text."""

    song: GeneratedSong
    text: str
    state: State  # one row; with guidance two, the second without the artist
    logits: Logits | None = None  # (V,) of the next character; None: the last one is not read yet


@dataclass(eq=False)
class Candidate:
    """One version of a song's next line."""

    of: SongState
    text: str  # the line so far, with what the prompt has of it
    forced: list[int]  # indices to be taken before any is drawn
    ending: KnownWords | None = None  # the words of which the last one must be; None: any
    last_word: int = 0  # where this word begins in `text`
    frames: list[int] = field(default_factory=list)  # the new ones
    logits: list[Logits] = field(default_factory=list)  # (V,) for each of them
    log_p: float = 0.0  # of all of them
    end_odds: float = -math.inf  # log odds of the end mark against the newline after the line
    state: State = field(default_factory=list)  # before the last frame is read

    @property
    def score(self) -> float:
        """The mean log probability of the characters, in nats."""
        return self.log_p / max(1, len(self.frames))


class LineWriter:
    """The songs of a stream that have not ended; `step` writes the next line of each."""

    def __init__(self, stream: "LyricsStream") -> None:
        self._stream, self._stepper = stream, stream.model.stepper
        self._alphabet = stream.alphabet
        self._newline = self._alphabet.index("\n")
        self._marks = np.zeros(len(self._alphabet))
        self._marks[[BEGIN, END, UNKNOWN]] = -np.inf
        self._live = [song for song in stream.songs if song.reason is None]
        self._use(stream.params)
        self._read()

    @property
    def songs(self) -> list[GeneratedSong]:
        """The songs that have not ended."""
        return [song for song in self._live if song.reason is None]

    def _use(self, params: SamplingParams) -> None:
        """Write with these parameters from now on."""
        self._given, self._params = params, params.resolved()
        self._match_weight = match_weight(params.memory, params.temperature)
        self._guided = params.guidance != 1

    def _read(self) -> None:
        """Read the texts of the songs but for their last characters, which `step` reads."""
        self._states: list[SongState] = []
        for song in self.songs:
            same = self._states and self._states[0].song.frames == song.frames
            if same:  # the prompt
                state = copy_songs(self._states[0].state, range(1 + self._guided))
            else:
                state = self._stream.initial_state(guided=self._guided)
                frames = np.array(song.frames[:-1], np.int64)[:, None]
                self._stream.read(state, np.tile(frames, 1 + self._guided))
            text = "".join(self._alphabet[index] for index in song.frames[1:])
            self._states.append(SongState(song, text, state))

    def _apply_changes(self) -> None:
        """Use the stream's parameters if they were changed since the last step."""
        if self._given is not self._stream.params:
            guided = self._guided
            self._use(self._stream.params)
            if guided != self._guided:
                self._read()

    def step(self) -> Iterator[Character]:
        """Write the next line of each song, or the empty line between two sections."""
        self._apply_changes()
        self._read_last()
        if self._stream.stopped():  # then the texts may not have been read to their ends
            return
        lines: list[Candidate] = []
        for each in self._states:
            place, begun = self._place(each.text), _last_line(each.text)
            parts = place.part == "must"
            if place.part == "may" and not begun and not place.repeat:
                parts = self._draws_newline(each)
            if parts and not begun:
                yield self._append(each, self._newline, each.logits)
            elif place.repeat is not None and place.repeat.startswith(begun):
                rest = self._stream.codec.encode(place.repeat[len(begun) :]).tolist()
                lines.append(Candidate(each, begun, [*rest, self._newline]))
            else:
                count = self._params.candidates if self._params.temperature else 1
                lines += [Candidate(each, begun, []) for _ in range(count)]
        self._write(lines)
        if not self._stream.stopped():
            lines += self._write_rhyming(lines)
        if self._stream.stopped():
            return
        for each in {id(line.of): line.of for line in lines}.values():
            best = max((line for line in lines if line.of is each), key=self._value)
            yield from self._accept(each, best)
        self._states = [each for each in self._states if each.song.reason is None]

    # ── between lines ────────────────────────────────────────────────────────────────────────────

    def _place(self, text: str) -> Place:
        """Return the place of the line that a text ends in, or that follows it."""
        plan = "" if self._params.form == "none" or self._stream.length else self._params.form
        return find_place(plan, text[: len(text) - len(_last_line(text))])

    def _read_last(self) -> None:
        """Read the last character of each song that has not been read, all in one batch."""
        unread = [each for each in self._states if each.logits is None]
        if not unread:
            return
        state = self._batch([each.state for each in unread])
        last = np.array([each.song.frames[-1] for each in unread], np.int64)
        logits = self._logits(state, last)
        for row, each in enumerate(unread):
            each.state, each.logits = self._row(state, row, len(unread)), logits[row]

    def _draws_newline(self, each: SongState) -> bool:
        """Return whether the model draws an empty line, as the next character of a song."""
        assert each.logits is not None
        noise = self._noise(each.song, 1)
        return int(choose(each.logits[None] + self._marks, self._params, noise)[0]) == self._newline

    def _append(self, each: SongState, index: int, logits: Logits | None) -> Character:
        """Append a character to a song; logits: (V,), from which it was drawn."""
        assert logits is not None
        song, total, count = each.song, log_sum_exp(logits[None])[0], self._stream.alternatives
        bits = (total - logits.item(index)) / BIT
        song.bits += bits
        song.frames.append(index)
        song.characters += 1
        each.text, each.logits = each.text + self._alphabet[index], None
        if song.characters == self._stream.limit:
            song.reason = "length"
        others = most_probable(logits - total, count, self._alphabet) if count else []
        return Character(self._alphabet[index], bits, others, song.number)

    def _accept(self, each: SongState, line: Candidate) -> Iterator[Character]:
        """Add a line to its song; end the song if it is at its end."""
        head = each.text[: len(each.text) - len(_last_line(each.text))]
        complete = line.frames[-1] == self._newline
        ends = complete and self._ends(each.song, f"{head}{line.text}", line.end_odds)
        frames = line.frames[:-1] if ends else line.frames
        for index, logits in zip(frames, line.logits, strict=False):
            if self._stream.stopped():
                return
            yield self._append(each, index, logits)
            if each.song.reason:
                return
        each.state = line.state
        if ends:
            logits = line.logits[-1]
            each.song.bits += (log_sum_exp(logits[None])[0] - logits.item(END)) / BIT
            each.song.reason = "end"

    def _ends(self, song: GeneratedSong, text: str, odds: float) -> bool:
        """Return whether a song ends in place of the newline that its text ends in.

        odds: the log odds of that by the model.
        """
        whether = self._place(text).end
        if self._stream.length is not None or whether == "no":
            return False
        if whether == "must":
            return True
        if self._params.ending == "on":
            odds += end_lean(len(text), self._stream.model.meta.lengths)
        noise = float(song.random.logistic()) if self._params.temperature else 0.0
        return odds + noise > 0

    def _value(self, line: Candidate) -> float:
        """Return how good a candidate is, in nats per character: the best one is kept."""
        line_start = len(line.of.text) - len(_last_line(line.of.text))
        text = line.text.strip("\n")
        song = line.of.text[:line_start] + text
        windows = range(line_start, len(song) - REPEAT_LENGTH + 1)
        repeated = sum(song.find(song[i : i + REPEAT_LENGTH]) < i for i in windows)
        return (
            line.score
            - REPEAT_COST * repeated / max(1, len(windows))
            - UNBALANCED_COST * (text.count('"') % 2 or text.count("(") != text.count(")"))
            + RHYME_GAIN * (line.ending is not None)
        )

    # ── one line ─────────────────────────────────────────────────────────────────────────────────

    def _write(self, lines: Sequence[Candidate]) -> None:
        """Write candidates to their ends, as one batch."""
        live = list(lines)
        if not live:
            return
        parts = [copy_songs(line.of.state, range(1 + self._guided)) for line in live]
        state = self._batch(parts)
        logits = np.array([line.of.logits for line in live])  # (R, V)
        while True:
            last = self._draw(live, logits)
            rows = [row for row, line in enumerate(live) if not self._is_complete(line)]
            if len(rows) < len(live):
                for row, line in enumerate(live):
                    if row not in rows:
                        line.state = self._row(state, row, len(live))
                unguided = [len(live) + row for row in rows] if self._guided else []
                state = select_songs(state, rows + unguided)
                live, last = [live[row] for row in rows], last[rows]
            if not live or self._stream.stopped():
                return
            logits = self._logits(state, last)

    def _draw(self, lines: Sequence[Candidate], logits: Logits) -> NDArray[np.int64]:
        """Draw the next character of each candidate, (R,), from logits (R, V)."""
        params, newline = self._params, self._newline
        either = logits.copy()  # the end mark's probability goes to the newline
        if self._stream.length is None:
            either[:, newline] = np.logaddexp(logits[:, newline], logits[:, END])
        allowed = either + self._marks
        if params.repetition or params.line or any(len(line.text) >= MAX_LINE for line in lines):
            texts = [[*line.of.song.frames, *line.frames] for line in lines]
            allowed = restrict(allowed, texts, params, self._alphabet)
            if not params.line:
                allowed = break_lines(allowed, texts, MAX_LINE, self._alphabet)
        for row, line in enumerate(lines):
            allowed[row] += self._mask(line)
        noise = np.concatenate([self._noise(song, count) for song, count in _count_runs(lines)])
        chosen = choose(allowed, params, noise)
        totals = log_sum_exp(logits)
        for row, line in enumerate(lines):
            index = line.forced.pop(0) if line.forced else int(chosen[row])
            chosen[row] = index
            line.frames.append(index)
            line.logits.append(logits[row])
            line.text += self._alphabet[index]
            line.log_p += either.item(row, index) - totals[row]
            line.end_odds = logits.item(row, END) - logits.item(row, newline)
        return chosen

    def _mask(self, line: Candidate) -> Logits | float:
        """Return what to add to a candidate's logits, (V,), for its words and its first letter."""
        if not line.text and not line.forced:
            first = np.zeros(len(self._alphabet))  # an empty line is decided on before
            first[self._newline] = -np.inf
            return first if self._known is None else first + self._known.mask("")
        if line.ending is not None and not line.forced:
            return self._end_mask(line.text[line.last_word :], line.ending)
        return 0.0 if self._known is None else self._known.mask(open_word(line.text))

    def _is_complete(self, line: Candidate) -> bool:
        written = line.of.song.characters + len(line.frames)
        return line.frames[-1] == self._newline or written >= self._stream.limit

    # ── rhyme ────────────────────────────────────────────────────────────────────────────────────

    def _write_rhyming(self, lines: Sequence[Candidate]) -> list[Candidate]:
        """Return copies of candidates with another last word, one that rhymes, where one exists."""
        scheme = self._params.rhyme
        if scheme == "none":
            return []
        result, rhymes = [], self._stream.rhymes
        for line in lines:
            place = self._place(line.of.text)
            target = _partner(line.of.text, place.line, scheme)
            if place.repeat is not None or not target or line.frames[-1] != self._newline:
                continue
            words = rhymes.words(target)
            last = find_words(line.text)[-1:]
            begun = _last_line(line.of.text)
            start = line.text.rfind(last[0]) if last else 0
            if words is None or start <= len(begun):
                continue
            kept = line.frames[: start - len(begun)]
            result.append(Candidate(line.of, begun, kept, words, start))
        self._write(result)
        return [line for line in result if line.frames[-1] == self._newline]

    def _end_mask(self, text: str, words: KnownWords) -> Logits:
        """Return what to add to the logits so that a line ends with one of some words.

        text: what the line has of that word and of what follows it.
        """
        mask = np.full(len(self._alphabet), -np.inf)
        if text and text[-1] in _AFTER_RHYME:
            mask[self._newline] = 0.0
            return mask
        word = open_word(text)
        letters = words.mask(word)
        for index, character in enumerate(self._alphabet):
            if is_letter(character) or (word and character and character in APOSTROPHES):
                mask[index] = letters[index]
        if word in words:
            mask[self._newline] = 0.0
            mask[[i for i, text in enumerate(self._alphabet) if text and text in _AFTER_RHYME]] = (
                0.0
            )
        return mask

    # ── states and noise ─────────────────────────────────────────────────────────────────────────

    def _logits(self, state: State, last: NDArray[np.int64]) -> Logits:
        """Read a character of each row, (R,), and return the logits (R, V) of the next."""
        frames = np.tile(last, 2) if self._guided else last
        logits = self._stepper.step(state, frames, self._match_weight).astype(np.float64)
        return apply_guidance(logits, self._params.guidance) if self._guided else logits

    def _batch(self, states: Sequence[State]) -> State:
        """Return a batch of states of single songs: all with the artist, then all without."""
        joined = join_songs(states)
        if not self._guided:
            return joined
        rows = range(2 * len(states))
        return select_songs(joined, [*rows[::2], *rows[1::2]])

    def _row(self, state: State, row: int, rows: int) -> State:
        """Return the state of one song of a batch of `rows` songs."""
        return select_songs(state, [row, rows + row] if self._guided else [row])

    def _noise(self, song: GeneratedSong, rows: int) -> NDArray[np.float64]:
        """Draw Gumbel noise, (rows, V)."""
        return -np.log(song.random.standard_exponential((rows, len(self._alphabet))))

    @property
    def _known(self) -> KnownWords | None:
        return self._stream.known_words if self._params.known_words == "on" else None


def _last_line(text: str) -> str:
    """Return the line that a text ends in, "" after a newline."""
    return text[text.rfind("\n") + 1 :]


def _count_runs(lines: Sequence[Candidate]) -> list[tuple[GeneratedSong, int]]:
    """Return each song with its number of candidates, which follow one another."""
    counts: dict[int, tuple[GeneratedSong, int]] = {}
    for line in lines:
        song, count = counts.get(id(line.of), (line.of.song, 0))
        counts[id(line.of)] = song, count + 1
    return list(counts.values())


def _partner(text: str, line: int, scheme: str) -> str | None:
    """Return the last word of the line with which a line of a section must rhyme, or None.

    text: the song before the line; line: its number in the section, from 0.
    """
    distance = {"aabb": 1, "abab": 2}[scheme]
    if line % (2 * distance) < distance:
        return None
    section = split_sections(text)[-1].split("\n")
    words = find_words(section[line - distance])
    return words[-1] if words else None
