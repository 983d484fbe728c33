"""Read and write MusicXML files, plain (.musicxml, .xml) or compressed (.mxl).

Positions and lengths are in beats (quarter notes). Of the format's some 400 elements, only those
are read that decide when which pitch sounds. The bars are read once, in the order in which they
are written: repeats, endings and jumps are not followed.

A file may come from any source: entities are refused, other files are never loaded, and time and
memory are limited by the numbers below.
"""

import io
import math
import zipfile
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element, SubElement, TreeBuilder
from xml.parsers import expat

import numpy as np
from numpy.typing import NDArray

from engine import files
from engine.errors import InputError
from engine.music.general_midi import INSTRUMENTS
from engine.music.hands import LEFT, RIGHT, split_hands
from engine.music.key_finding import find_key
from engine.music.pitch import HIGHEST_PITCH, LOWEST_PITCH, spell
from engine.music.score import LeftOut, Note, Score, merge_overlapping
from engine.music.tempo_map import DENOMINATORS, integrate

MAX_BYTES = 32 << 20  # of a file, unpacked: an hour of piano music takes 10 MiB
MAX_ELEMENTS = 1_000_000  # that are kept, and take some 200 bytes of memory each
MAX_DEPTH = 32  # of nested elements that are kept
MAX_SECONDS = 3 * 3600
_MAX_DIGITS = 30  # of a number
_CONTAINER = "META-INF/container.xml"  # names the score in a compressed file
# Elements that are kept; others are skipped with all that they contain.
_KEPT = frozenset({
    "container", "rootfiles", "rootfile", "score-partwise", "score-timewise", "part-list",
    "score-part", "part-name", "score-instrument", "instrument-sound", "midi-instrument",
    "midi-program", "part", "measure", "attributes", "divisions", "time", "beats", "beat-type",
    "staves", "transpose", "chromatic", "octave-change", "direction", "direction-type", "metronome",
    "beat-unit", "beat-unit-dot", "per-minute", "offset", "sound", "note", "chord", "grace", "cue",
    "unpitched", "pitch", "step", "alter", "octave", "duration", "tie", "notations", "tied",
    "backup", "forward",
})  # fmt: skip
_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}  # semitones above C
_BEAT_UNITS = {  # in beats
    "breve": 8.0, "whole": 4.0, "half": 2.0, "quarter": 1.0, "eighth": 0.5, "16th": 0.25,
    "32nd": 0.125,
}  # fmt: skip
_DEFAULT_TEMPO = 120.0  # beats per minute, of a file without a tempo
_FORTE = 90.0  # the velocity that is 100 % of MusicXML's dynamics
_DEFAULT_VELOCITY = 80
_KEYBOARDS = range(1, 9)  # MIDI programs of pianos and harpsichords, counted from 1
_EXACT = 9  # decimal places of a beat that are exact: sums of thirds are rounded to them
# Parts of a beat to which files are quantized: the first that has all notes, or else of the last
# ones the first that has the bar lines.
_DIVISIONS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48)
_FALLBACK_DIVISIONS = (12, 24, 48)
_TOLERANCE = 0.005  # beats by which a note may be off such a part
_HEADER = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    '"http://www.musicxml.org/dtds/partwise.dtd">\n'
)


def read(source: Path | bytes, name: str = "") -> Score:
    """Read a MusicXML file as a score on one keyboard.

    Of a song with an accompaniment, the piano is read: see `_choose`. Left out, and counted in
    `Score.left_out`, are the other parts, percussion, grace notes and cue notes, which have no
    length of their own, and pitches outside the piano's range. Tied notes become one note.
    Transposing instruments sound as written for them. A first bar that is shorter than its time
    signature is a pickup bar: rests are added before it, so that all bars are whole. The score has
    all tempos of the file, and the time signature in force at the first note. Dynamics become
    velocities.

    name: how error messages call the source (default: its path). Raises InputError for data that is
    not a MusicXML file or is too large, has no notes, or lasts longer than three hours.
    """
    name = name or (str(source) if isinstance(source, Path) else "the MusicXML data")
    data = _load(source) if isinstance(source, Path) else source
    if len(data) > MAX_BYTES:
        raise InputError(f"{name} has over {MAX_BYTES >> 20} MiB: use a smaller MusicXML file.")
    try:
        return _to_score(_parse(_unpack(data) if data[:2] == b"PK" else data))
    except ValueError as error:
        raise InputError(
            f"{name} is not a usable MusicXML file ({error}): export it again, or use another file."
        ) from error


def _load(path: Path) -> bytes:
    with files.explain_read_errors(path), path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _unpack(data: bytes) -> bytes:
    """Return the score in a compressed file; raises ValueError, with the reason."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            container = _parse(_member(archive, _CONTAINER))
            return _member(archive, next(container.iter("rootfile")).get("full-path") or "")
    except ValueError:
        raise
    except Exception as error:  # a broken zip raises many kinds
        raise ValueError(f"it cannot be unpacked: {error}") from error


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    info = archive.getinfo(name)
    # Some other methods unpack everything at once, whatever its size.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError("it is compressed by an unusual method")
    with archive.open(info) as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"it unpacks to over {MAX_BYTES >> 20} MiB")
    return data


def _parse(data: bytes) -> Element:
    """Return the root of an XML document with the elements of `_KEPT`; raises ValueError."""
    try:
        return _Parser().parse(data)
    except expat.ExpatError as error:
        raise ValueError(f"it is not well-formed XML: {error}") from error


class _Parser:
    """Builds the tree of the elements of a document that are kept."""

    def __init__(self) -> None:
        self._builder = TreeBuilder()
        self._count = 0  # elements kept so far
        self._depth = 0  # of the element being read, or of the last one that is kept
        self._skipped = 0  # depth of the element being read within one that is skipped
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = self._doctype

    def parse(self, data: bytes) -> Element:
        self._parser.Parse(data, True)
        if not self._count:
            raise ValueError("it is XML of another kind")
        return self._builder.close()

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if self._skipped or tag not in _KEPT:
            self._skipped += 1
            return
        self._depth += 1
        self._count += 1
        if self._depth > MAX_DEPTH:
            raise ValueError("it is nested too deeply")
        if self._count > MAX_ELEMENTS:
            raise ValueError(f"it has over {MAX_ELEMENTS:,} elements")
        self._builder.start(tag, attributes)

    def _end(self, tag: str) -> None:
        if self._skipped:
            self._skipped -= 1
        else:
            self._depth -= 1
            self._builder.end(tag)

    def _text(self, characters: str) -> None:
        if self._depth and not self._skipped:
            self._builder.data(characters)

    def _doctype(self, _name: str, _system: str | None, _public: str | None, subset: int) -> None:
        if subset:  # entities and default attributes, by which a small file becomes a huge one
            raise ValueError("it declares XML entities or attributes of its own")


# ── notes ─────────────────────────────────────────────────────────────────────────────────────────


class _BeatNote(NamedTuple):
    """A note timed in beats from the beginning of its bar or of the piece."""

    start: float
    end: float
    pitch: int
    velocity: int


@dataclass
class _Part:
    """What is read of a part; positions are in beats from the beginning of the bar."""

    name: str
    program: int = 1  # MIDI, counted from 1
    is_keyboard: bool = False
    staves: int = 1
    notes: list[_BeatNote] = field(default_factory=list)  # from the beginning of the piece
    drums: int = 0
    grace: int = 0


@dataclass
class _Contents:
    """What is read of a document; positions are in beats from the beginning of the piece."""

    parts: list[_Part]
    tempos: dict[float, float]  # beats per minute
    time_signatures: dict[float, tuple[int, int]]
    bars: list[float]  # where each bar begins, then where the last one ends


def _to_score(root: Element) -> Score:
    contents = _read_parts(root)
    with_notes = [part for part in contents.parts if part.notes]
    if not with_notes:
        drums = any(part.drums for part in contents.parts)
        raise ValueError("it holds no notes" + (" but drums" if drums else ""))
    chosen = _choose(with_notes)
    written = [note for part in chosen for note in part.notes]
    on_piano = [note for note in written if LOWEST_PITCH <= note.pitch <= HIGHEST_PITCH]
    if not on_piano:
        raise ValueError("it holds no notes of a piano's range")
    signature = _at(contents.time_signatures, min(note.start for note in on_piano), (4, 4))
    shift = _pickup_rest(contents)
    tempos = {0.0: _DEFAULT_TEMPO} | {
        beat + shift if beat else 0.0: tempo for beat, tempo in contents.tempos.items()
    }
    beats = sorted(tempos)
    seconds_per_beat = np.array([60 / tempos[beat] for beat in beats])  # (k,)
    points = [beat + shift for note in on_piano for beat in note[:2]] + beats
    seconds = integrate(np.array(beats), seconds_per_beat, points)
    times, changes = np.split(seconds, [2 * len(on_piano)])
    if not times.max() <= MAX_SECONDS:
        raise ValueError(f"it lasts {times.max() / 3600:,.0f} hours")
    notes = merge_overlapping(
        Note(start, end, note.pitch, note.velocity)
        for (start, end), note in zip(times.reshape(-1, 2).tolist(), on_piano, strict=True)
    )
    others = [part for part in contents.parts if part not in chosen]
    return Score(
        notes,
        tempos[0.0],
        signature,
        chosen[0].program - 1,
        tuple(zip(changes[1:].tolist(), [tempos[beat] for beat in beats[1:]], strict=True)),
        LeftOut(
            drums=sum(part.drums for part in chosen),
            outside=len(written) - len(on_piano),
            joined=len(on_piano) - len(notes),
            grace=sum(part.grace for part in chosen),
            other_parts=sum(len(part.notes) + part.drums + part.grace for part in others),
            part_names=tuple(part.name for part in others if part.notes or part.drums),
        ),
    )


def _choose(parts: list[_Part]) -> list[_Part]:
    """Return the parts to read: the piano's, if there is one.

    The best of these that the piece has: keyboards on two staves or more; other parts on two staves
    or more; keyboards on one staff; all parts. So of a song for voice and piano the piano is read,
    of a string quartet everything, and of a melody with chord names the melody.
    """
    rank = [2 * (part.staves > 1) + part.is_keyboard for part in parts]
    return [part for part, own in zip(parts, rank, strict=True) if own == max(rank)]


def _at(
    values: dict[float, tuple[int, int]], beat: float, default: tuple[int, int]
) -> tuple[int, int]:
    """Return the value that is in force at a beat: that of the last key up to it."""
    keys = sorted(values)
    return values[keys[max(bisect_right(keys, beat) - 1, 0)]] if keys else default


def _pickup_rest(contents: _Contents) -> float:
    """Return the beats that the first bar lacks to be a whole bar of its time signature."""
    signature = contents.time_signatures.get(0.0)
    if signature is None or len(contents.bars) < 3:
        return 0.0
    return max(signature[0] * 4 / signature[1] - contents.bars[1], 0.0)


def _read_parts(root: Element) -> _Contents:
    if root.tag != "score-partwise":
        raise ValueError(
            "it is ordered by measures, not by parts"
            if root.tag == "score-timewise"
            else "it is XML of another kind"
        )
    listed = {item.get("id"): _listed(item) for item in root.iterfind("part-list/score-part")}
    readers = [
        _PartReader(part, listed.get(part.get("id")) or _Part(part.get("id") or "?"))
        for part in root.iterfind("part")
    ]
    contents = _Contents([reader.part for reader in readers], {}, {}, [0.0])
    # The parts are read bar by bar, as a bar is as long as the longest part of it.
    while True:
        found = [reader.read_bar() for reader in readers]
        if not any(found):
            break
        start = contents.bars[-1]
        for reader in readers:
            reader.move(start, contents)
        length = max(reader.length for reader in readers) or _nominal_length(contents)
        contents.bars.append(round(start + length, _EXACT))
    for reader in readers:
        reader.finish()
    return contents


def _nominal_length(contents: _Contents) -> float:
    """Return the length of a bar without contents."""
    numerator, denominator = _at(contents.time_signatures, math.inf, (4, 4))
    return numerator * 4 / denominator


def _listed(item: Element) -> _Part:
    """Return a part, still without notes, from its entry in the list of parts."""
    sounds = [sound.text or "" for sound in item.iter("instrument-sound")]
    program = int(_number(item.find("midi-instrument/midi-program"), 1))
    program = program if 1 <= program <= 128 else 1
    is_keyboard = (
        sounds[0].startswith("keyboard.")
        if sounds
        else item.find("midi-instrument/midi-program") is not None and program in _KEYBOARDS
    )
    return _Part(" ".join((item.findtext("part-name") or "?").split()), program, is_keyboard)


def _number(element: Element | None, default: float) -> float:
    """Return the number in an element; the default without an element. Raises ValueError."""
    text = default if element is None else (element.text or "").strip()
    if isinstance(text, str) and len(text) > _MAX_DIGITS:
        raise ValueError(f"it holds a number of {len(text):,} characters")
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"it holds {text!r} for a number")
    return number


class _PartReader:
    """Reads a part bar by bar."""

    def __init__(self, element: Element, part: _Part) -> None:
        self.part = part
        self.length = 0.0  # of the last bar, in beats
        self._bars: Iterator[Element] = element.iterfind("measure")
        self._divisions = 1.0  # of a beat, the unit of durations
        self._transposition = 0  # semitones
        self._velocity = float(_DEFAULT_VELOCITY)
        self._position = 0.0  # in divisions from the beginning of the bar
        self._chord = 0.0  # position of the last note, with which a chord sounds
        self._new: list[tuple[_BeatNote, bool, bool]] = []  # with whether a tie ends, and begins
        self._tempos: dict[float, float] = {}
        self._time_signatures: dict[float, tuple[int, int]] = {}
        self._open: defaultdict[int, list[_BeatNote]] = defaultdict(list)  # tied on, by pitch

    def read_bar(self) -> bool:
        """Read the next bar; returns whether there is one."""
        bar = next(self._bars, None)
        self.length = self._position = self._chord = 0.0
        self._new, self._tempos, self._time_signatures = [], {}, {}
        for element in bar if bar is not None else ():
            match element.tag:
                case "note":
                    self._read_note(element)
                case "backup":
                    self._advance(-_number(element.find("duration"), 0))
                case "forward":
                    self._advance(_number(element.find("duration"), 0))
                case "attributes":
                    self._read_attributes(element)
                case "direction" | "sound":
                    self._read_sound(element)
        return bar is not None

    def move(self, start: float, contents: _Contents) -> None:
        """Add what the bar that was read last holds to the contents, for a bar that begins here."""
        for beat, tempo in self._tempos.items():
            contents.tempos[round(start + beat, _EXACT)] = tempo
        for beat, signature in self._time_signatures.items():
            contents.time_signatures[round(start + beat, _EXACT)] = signature
        for note, tie_ends, tie_begins in self._new:
            note = note._replace(
                start=round(start + note.start, _EXACT), end=round(start + note.end, _EXACT)
            )
            tied = self._open[note.pitch]
            earlier = next((x for x in tied if tie_ends and x.end == note.start), None)
            if earlier is not None:
                tied.remove(earlier)
                note = note._replace(start=earlier.start, velocity=earlier.velocity)
            (tied if tie_begins else self.part.notes).append(note)

    def finish(self) -> None:
        """End the notes whose tie leads nowhere."""
        for notes in self._open.values():
            self.part.notes += notes
        self.part.notes.sort()

    def _advance(self, divisions: float) -> None:
        self._position = max(self._position + divisions, 0.0)
        self.length = max(self.length, self._position / self._divisions)

    def _read_note(self, element: Element) -> None:
        if element.find("grace") is not None:
            self.part.grace += 1
            return
        duration = max(_number(element.find("duration"), 0), 0.0)
        if element.find("chord") is None:
            self._chord = self._position
            self._advance(duration)
        if element.find("cue") is not None:
            self.part.grace += 1
        elif element.find("unpitched") is not None:
            self.part.drums += 1
        elif element.find("pitch") is not None and duration:
            start = self._chord / self._divisions
            velocity = round(_percent(element.get("dynamics"), self._velocity))
            note = _BeatNote(
                start,
                start + duration / self._divisions,
                self._pitch(element),
                min(max(velocity, 1), 127),
            )
            ties = {
                tie.get("type")
                for path in ("tie", "notations/tied")
                for tie in element.iterfind(path)
            }
            self._new.append((note, "stop" in ties, "start" in ties))

    def _pitch(self, note: Element) -> int:
        """Return the MIDI pitch of a note, as it sounds."""
        step = (note.findtext("pitch/step") or "").strip()
        if step not in _STEPS:
            raise ValueError(f"it holds {step!r:.20} for the name of a note")
        alter = _number(note.find("pitch/alter"), 0)  # quarter tones are rounded
        octave = _number(note.find("pitch/octave"), 4)
        return round(12 * (octave + 1) + _STEPS[step] + alter) + self._transposition

    def _read_attributes(self, element: Element) -> None:
        divisions = _number(element.find("divisions"), self._divisions)
        if divisions <= 0:
            raise ValueError(f"it divides a beat by {divisions:g}")
        self._position *= divisions / self._divisions
        self._divisions = divisions
        self.part.staves = max(self.part.staves, int(_number(element.find("staves"), 1)))
        transpose = element.find("transpose")
        if transpose is not None:
            octaves = _number(transpose.find("octave-change"), 0)
            self._transposition = round(_number(transpose.find("chromatic"), 0) + 12 * octaves)
        time = element.find("time")
        signature = None if time is None else _time_signature(time)
        if signature is not None:
            self._time_signatures[self._position / self._divisions] = signature

    def _read_sound(self, element: Element) -> None:
        """Read the tempo and the dynamics of a direction, or of a sound element outside of one."""
        sound = element if element.tag == "sound" else element.find("sound")
        offset = _number(element.find("offset"), 0)
        tempo = None
        if sound is not None:
            offset = _number(sound.find("offset"), offset)
            self._velocity = _percent(sound.get("dynamics"), self._velocity)
            tempo = _positive(sound.get("tempo"))
        mark = element.find("direction-type/metronome")
        if tempo is None and mark is not None:
            tempo = _metronome(mark)
        if tempo is not None:
            self._tempos[max(self._position + offset, 0.0) / self._divisions] = tempo


def _positive(text: str | None) -> float | None:
    """Return the positive number that a text begins with; None for another text."""
    try:
        number = float((text or "").split()[0][:_MAX_DIGITS])
    except (ValueError, IndexError):
        return None
    return number if 0 < number < math.inf else None


def _percent(text: str | None, default: float) -> float:
    """Return a velocity from a text in percent of forte."""
    percent = _positive(text)
    return default if percent is None else min(percent * _FORTE / 100, 127.0)


def _metronome(mark: Element) -> float | None:
    """Return the beats per minute of a metronome mark; None for one that is not a tempo."""
    unit = _BEAT_UNITS.get((mark.findtext("beat-unit") or "").strip())
    per_minute = _positive(mark.findtext("per-minute"))
    if unit is None or per_minute is None:
        return None
    dots = len(mark.findall("beat-unit-dot"))
    return per_minute * unit * (2 - 0.5**dots)


def _time_signature(time: Element) -> tuple[int, int] | None:
    """Return a time signature, such as (5, 8) of 2+3 over 8; None for one that is not valid."""
    beats = (time.findtext("beats") or "").split("+")
    unit = (time.findtext("beat-type") or "").strip()
    try:
        numerator, denominator = sum(int(beat[:3]) for beat in beats), int(unit[:3])
    except ValueError:
        return None
    is_valid = 1 <= numerator <= 255 and denominator in DENOMINATORS
    return (numerator, denominator) if is_valid else None


# ── writing ───────────────────────────────────────────────────────────────────────────────────────


class _Value(NamedTuple):
    """A length that one note can have in notation."""

    beats: float
    type: str
    dots: int
    in_triplet: bool


_VALUES = sorted(
    (
        _Value(beats * factor, kind, dots, in_triplet)
        for kind, beats in _BEAT_UNITS.items()
        if kind != "breve"
        for factor, dots, in_triplet in ((1, 0, False), (1.5, 1, False), (2 / 3, 0, True))
    ),
    reverse=True,
)


class _Chord(NamedTuple):
    """Notes that begin and end together, timed in ticks, of which `divisions` are a beat."""

    start: int
    end: int
    notes: tuple[tuple[int, int], ...]  # pitch and velocity, ascending
    tied_from: bool = False  # to the chord before it
    tied_to: bool = False  # to the chord after it


@dataclass(frozen=True)
class _Voice:
    """Chords of a staff that do not overlap."""

    number: int  # unique in the part, from 1
    staff: int  # 1 or 2
    is_first: bool  # of its staff
    bars: dict[int, list[_Chord]]  # by number of the bar, from 0, timed from its beginning


def encode(score: Score) -> bytes:
    """Return the score as the text of a MusicXML file: a piano part on two staves.

    Times are rounded to a part of a beat: the largest one from a whole beat to 1/48 that has all
    notes, or else 1/12. The hands are separated by `split_hands`; notes of a staff that
    overlap are in different voices, and notes over bar lines are tied. The key signature is that of
    `find_key`. Tempos that begin after the last note are left out.
    """
    notes = merge_overlapping(score.notes)
    times = [(note.start, note.end) for note in notes]
    beats = score.tempo_map.beats(np.array(times).reshape(-1, 2))  # (n, 2)
    divisions = _choose_divisions(beats, score.tempo_map.bar_length)
    bar = round(score.tempo_map.bar_length * divisions)
    chords: defaultdict[tuple[int, int, int], list[tuple[int, int]]] = defaultdict(list)
    free: defaultdict[int, int] = defaultdict(int)  # by pitch: when the next note can start
    ticks = np.rint(beats * divisions).astype(np.int64).tolist()
    for note, (start, end), hand in zip(notes, ticks, split_hands(notes), strict=True):
        start = max(start, free[note.pitch])
        free[note.pitch] = end = max(end, start + 1)
        chords[start, end, hand].append((note.pitch, note.velocity))
    staves: tuple[list[_Chord], ...] = ([], [])
    for (start, end, hand), members in sorted(chords.items()):
        staves[hand].append(_Chord(start, end, tuple(sorted(members))))
    root, part = _skeleton(score.program)
    voices = [voice for hand in (RIGHT, LEFT) for voice in _voices(hand, staves[hand], bar)]
    tempos = _tempos_by_bar(score, divisions, bar)
    writer = _BarWriter(divisions, bar, find_key(notes).fifths)
    for number in range(max(-(-max(free.values(), default=1) // bar), 1)):
        measure = SubElement(part, "measure", number=str(number + 1))
        if number == 0:
            measure.append(_attributes(divisions, writer.fifths, score.time_signature))
        for tick, tempo in tempos.get(number, ()):
            writer.write_tempo(measure, tick, tempo)
        writer.write(measure, voices, number)
    ET.indent(root, " ")
    return (_HEADER + ET.tostring(root, "unicode") + "\n").encode()


def write(score: Score, path: Path) -> None:
    """Write the score to a file, complete or not at all, compressed if its suffix is .mxl."""
    data = encode(score)
    if path.suffix.lower() == ".mxl":
        buffer = io.BytesIO()
        container = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<container><rootfiles><rootfile '
            'full-path="score.musicxml" media-type="application/vnd.recordare.musicxml+xml"/>'
            "</rootfiles></container>\n"
        )
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(_CONTAINER, container)
            archive.writestr("score.musicxml", data)
        data = buffer.getvalue()
    files.write_atomic(path, data)


def _choose_divisions(beats: NDArray[np.float64], bar: float) -> int:
    """Return the number of parts of a beat to which `beats` are rounded; see `_DIVISIONS`."""
    for divisions in _DIVISIONS:
        off = np.abs(beats - np.rint(beats * divisions) / divisions)
        if (bar * divisions).is_integer() and np.all(off <= _TOLERANCE):
            return divisions
    return next(divisions for divisions in _FALLBACK_DIVISIONS if (bar * divisions).is_integer())


def _tempos_by_bar(score: Score, divisions: int, bar: int) -> dict[int, list[tuple[int, float]]]:
    """Return by bar the tempos that begin in it, each with its tick from the bar's beginning."""
    beats = score.tempo_map.beats([second for second, _ in score.tempo_changes]).tolist()
    tempos = {0: score.tempo}  # of several at one tick the last
    for beat, (_, tempo) in zip(beats, score.tempo_changes, strict=True):
        tempos[round(beat * divisions)] = tempo
    by_bar: defaultdict[int, list[tuple[int, float]]] = defaultdict(list)
    for tick, tempo in sorted(tempos.items()):
        by_bar[tick // bar].append((tick % bar, tempo))
    return by_bar


def _voices(hand: int, chords: Sequence[_Chord], bar: int) -> list[_Voice]:
    """Distribute the chords of a hand, ordered by start, over as few voices as possible."""
    voices: list[_Voice] = []
    ends: list[int] = []
    for chord in chords:
        index = next((i for i, end in enumerate(ends) if end <= chord.start), len(ends))
        if index == len(ends):
            ends.append(0)
            # Four voices a staff have the numbers that all programs know.
            number = 4 * hand + index + 1 if index < 4 else 2 * index + hand + 1
            voices.append(_Voice(number, hand + 1, index == 0, defaultdict(list)))
        ends[index] = chord.end
        for number in range(chord.start // bar, -(-chord.end // bar)):
            start, end = max(chord.start - number * bar, 0), min(chord.end - number * bar, bar)
            tied_from, tied_to = number * bar > chord.start, (number + 1) * bar < chord.end
            voices[index].bars[number].append(_Chord(start, end, chord.notes, tied_from, tied_to))
    return voices or [_Voice(4 * hand + 1, hand + 1, True, {})]


def _skeleton(program: int) -> tuple[Element, Element]:
    """Return the root of a document with one part, and this part."""
    root = Element("score-partwise", version="4.0")
    item = SubElement(SubElement(root, "part-list"), "score-part", id="P1")
    _add(item, "part-name", INSTRUMENTS[program])
    _add(SubElement(item, "score-instrument", id="P1-I1"), "instrument-name", INSTRUMENTS[program])
    midi = SubElement(item, "midi-instrument", id="P1-I1")
    _add(midi, "midi-channel", 1)
    _add(midi, "midi-program", program + 1)
    return root, SubElement(root, "part", id="P1")


def _add(parent: Element, tag: str, text: object) -> Element:
    element = SubElement(parent, tag)
    element.text = str(text)
    return element


def _attributes(divisions: int, fifths: int, time_signature: tuple[int, int]) -> Element:
    element = Element("attributes")
    _add(element, "divisions", divisions)
    _add(SubElement(element, "key"), "fifths", fifths)
    time = SubElement(element, "time")
    _add(time, "beats", time_signature[0])
    _add(time, "beat-type", time_signature[1])
    _add(element, "staves", 2)
    for number, (sign, line) in enumerate((("G", 2), ("F", 4)), start=1):
        clef = SubElement(element, "clef", number=str(number))
        _add(clef, "sign", sign)
        _add(clef, "line", line)
    return element


@dataclass(frozen=True)
class _BarWriter:
    """Writes the voices of bars."""

    divisions: int  # ticks of a beat
    bar: int  # ticks of a bar
    fifths: int  # the key signature, in sharps

    def write_tempo(self, measure: Element, tick: int, tempo: float) -> None:
        """Write a tempo that begins at a tick of the bar."""
        direction = SubElement(measure, "direction")
        mark = SubElement(SubElement(direction, "direction-type"), "metronome")
        _add(mark, "beat-unit", "quarter")
        _add(mark, "per-minute", f"{tempo:g}")
        if tick:
            _add(direction, "offset", tick)
        SubElement(direction, "sound", tempo=repr(float(tempo)))

    def write(self, measure: Element, voices: Sequence[_Voice], number: int) -> None:
        """Write a bar of all voices, the first of a staff with rests."""
        for voice in voices:
            chords = voice.bars.get(number, [])
            if not (chords or voice.is_first):
                continue
            if measure.find("note") is not None:
                _add(SubElement(measure, "backup"), "duration", self.bar)
            position = 0
            for chord in chords:
                self._write_gap(measure, voice, chord.start - position)
                self._write_chord(measure, voice, chord)
                position = chord.end
            self._write_gap(measure, voice, self.bar - position)

    def _write_gap(self, measure: Element, voice: _Voice, ticks: int) -> None:
        if not voice.is_first:
            if ticks:
                _add(SubElement(measure, "forward"), "duration", ticks)
        elif ticks == self.bar:
            note = SubElement(measure, "note")
            SubElement(note, "rest", measure="yes")
            _add(note, "duration", ticks)
            self._write_value(note, voice, None)
        else:
            for length, value in self._values(ticks):
                note = SubElement(measure, "note")
                SubElement(note, "rest")
                _add(note, "duration", length)
                self._write_value(note, voice, value)

    def _write_chord(self, measure: Element, voice: _Voice, chord: _Chord) -> None:
        values = list(self._values(chord.end - chord.start))
        for i, (length, value) in enumerate(values):
            ties = ["stop"] * (chord.tied_from or i > 0)
            ties += ["start"] * (chord.tied_to or i < len(values) - 1)
            for place, (pitch, velocity) in enumerate(chord.notes):
                note = SubElement(measure, "note", dynamics=f"{velocity * 100 / _FORTE:.2f}")
                if place:
                    SubElement(note, "chord")
                self._write_pitch(note, pitch)
                _add(note, "duration", length)
                for tie in ties:
                    SubElement(note, "tie", type=tie)
                self._write_value(note, voice, value)
                if ties:
                    notations = SubElement(note, "notations")
                    for tie in ties:
                        SubElement(notations, "tied", type=tie)

    def _write_pitch(self, note: Element, pitch: int) -> None:
        letter, alter, octave = spell(pitch, self.fifths)
        element = SubElement(note, "pitch")
        _add(element, "step", letter)
        if alter:
            _add(element, "alter", alter)
        _add(element, "octave", octave)

    @staticmethod
    def _write_value(note: Element, voice: _Voice, value: _Value | None) -> None:
        """Write the voice, the length in notation and the staff of a note or rest."""
        _add(note, "voice", voice.number)
        if value is not None:
            _add(note, "type", value.type)
            for _ in range(value.dots):
                SubElement(note, "dot")
            if value.in_triplet:
                triplet = SubElement(note, "time-modification")
                _add(triplet, "actual-notes", 3)
                _add(triplet, "normal-notes", 2)
        _add(note, "staff", voice.staff)

    def _values(self, ticks: int) -> Iterator[tuple[int, _Value | None]]:
        """Split a length into those that a note can have, the longest first."""
        while ticks:
            for value in _VALUES:
                length = round(value.beats * self.divisions)
                if length <= ticks and math.isclose(length, value.beats * self.divisions):
                    break
            else:
                length, value = ticks, None
            yield length, value
            ticks -= length
