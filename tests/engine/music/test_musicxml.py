"""MusicXML files: written and read back, elements of the format, and hostile files refused."""

import io
import re
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InputError
from engine.music import midi, musicxml, score_file
from engine.music.score import LeftOut, Note, Score, merge_overlapping

# A part list of a voice, a piano and a drum set.
PARTS = """
<score-part id="V"><part-name>Singstimme
  Voice</part-name><score-instrument id="V1"><instrument-name/>
  <instrument-sound>voice.vocals</instrument-sound></score-instrument></score-part>
<score-part id="P"><part-name>Piano</part-name>
  <midi-instrument id="P1"><midi-program>3</midi-program></midi-instrument></score-part>
"""


def document(*parts: str, part_list: str = PARTS, head: str = "") -> bytes:
    """Return a document of parts, of which each is the text of its measures."""
    body = "".join(f'<part id="{id_}">{part}</part>' for id_, part in zip("VPD", parts))  # noqa: B905
    text = f"<score-partwise><part-list>{part_list}</part-list>{body}</score-partwise>"
    return f'<?xml version="1.0"?>{head}{text}'.encode()


def one(measures: str) -> bytes:
    """Return a document of one part without an entry in the list of parts."""
    return document(measures, part_list="")


def measure(content: str, attributes: str = "") -> str:
    return (
        f"<measure><attributes><divisions>2</divisions>{attributes}</attributes>{content}</measure>"
    )


def note(name: str = "C4", duration: int = 2, *, chord: bool = False, more: str = "") -> str:
    step, alter, octave = re.fullmatch(r"([A-G])(#*|b*)(\d)", name).groups()  # type: ignore[union-attr]
    semitones = len(alter) * (-1 if "b" in alter else 1)
    pitch = f"<step>{step}</step><alter>{semitones}</alter><octave>{octave}</octave>"
    return (
        f"<note>{'<chord/>' * chord}<pitch>{pitch}</pitch><duration>{duration}</duration>"
        f"{more}</note>"
    )


REST = "<note><rest/><duration>2</duration></note>"
TIME = "<time><beats>{}</beats><beat-type>{}</beat-type></time>"


def notes(data: bytes) -> list[tuple[float, float, int]]:
    """Return start, end (in beats at 120 beats per minute) and pitch of each note."""
    found = musicxml.read(data).notes
    return [(round(x.start * 2, 6), round(x.end * 2, 6), x.pitch) for x in found]


# ── written and read back ─────────────────────────────────────────────────────────────────────────


@st.composite
def scores(draw: st.DrawFn) -> Score:
    """Return a score whose notes begin and end at multiples of a part of a beat."""
    divisions = draw(st.sampled_from([1, 2, 3, 4, 6, 12]))
    tempo = draw(st.sampled_from([40.0, 72.5, 120.0, 240.0]))
    spans = draw(
        st.lists(
            st.tuples(
                st.integers(0, 40), st.integers(1, 30), st.integers(21, 108), st.integers(1, 127)
            ),
            min_size=1,
            max_size=25,
        )
    )
    unit = 60 / tempo / divisions
    return Score(
        merge_overlapping(Note(a * unit, (a + b) * unit, c, d) for a, b, c, d in spans),
        tempo,
        draw(st.sampled_from([(4, 4), (3, 4), (6, 8), (2, 2), (5, 8), (7, 16), (1, 4), (3, 32)])),
        draw(st.integers(0, 127)),
    )


def assert_same(again: Score, score: Score) -> None:
    assert again.tempo == pytest.approx(score.tempo)
    assert again.time_signature == score.time_signature
    assert again.program == score.program
    assert [(x.pitch, x.velocity) for x in again.notes] == [
        (x.pitch, x.velocity) for x in score.notes
    ]
    for ours, theirs in zip(again.notes, score.notes, strict=True):
        assert (ours.start, ours.end) == pytest.approx((theirs.start, theirs.end), abs=1e-5)
    assert again.left_out == LeftOut()


@settings(max_examples=60, deadline=None)
@given(scores())
def test_a_written_score_is_read_back_as_it_was(score: Score) -> None:
    assert_same(musicxml.read(musicxml.encode(score)), score)


@pytest.mark.parametrize("suffix", [".musicxml", ".MXL", ".xml", ".mid"])
def test_the_suffix_of_a_file_chooses_its_format(tmp_path: Path, suffix: str) -> None:
    score = Score((Note(0, 0.5, 60, 70), Note(0.5, 1.5, 40, 90)), 90.0, (3, 4), 6)
    path = tmp_path / f"tune{suffix}"
    score_file.write(score, path)
    begin = {".MXL": b"PK", ".mid": b"MThd"}.get(suffix, b"<?xml")
    assert path.read_bytes().startswith(begin)
    assert_same(score_file.read(path), score)
    assert score_file.decode(path.read_bytes(), path.name) == score_file.read(path)


def test_tempos_within_bars_are_read_back() -> None:
    score = Score((Note(0, 8, 60), Note(8, 9, 62)), 60.0, (4, 4), 0, ((2.0, 90.0), (6.0, 30.0)))
    again = musicxml.read(musicxml.encode(score))
    assert again.tempo_changes == score.tempo_changes
    assert [(x.start, x.end) for x in again.notes] == [(0, 8), (8, 9)]


def test_notes_of_a_performance_are_rounded_to_a_twelfth_of_a_beat() -> None:
    score = Score((Note(0.013, 0.271, 60), Note(0.3, 0.777, 60), Note(0.0, 0.003, 64)))
    found = notes(musicxml.encode(score))
    assert [(round(start * 12, 3), round(end * 12, 3)) for start, end, _ in found] == [
        (0, 7), (0, 1), (7, 19)
    ]  # fmt: skip


def test_notes_over_bar_lines_are_tied_and_staves_are_the_hands() -> None:
    text = musicxml.encode(Score((Note(0, 3, 72), Note(0, 2, 40), Note(1, 2, 43)), 60.0, (2, 4)))
    bars = re.findall(r"<measure.*?</measure>", text.decode(), re.DOTALL)
    assert len(bars) == 2
    assert [re.findall(r'<tie type="(\w+)"', bar) for bar in bars] == [["start"], ["stop"]]
    assert re.findall(r"<staff>(\d)", bars[0]) == ["1", "2", "2"]
    # The left hand's notes overlap, and so are in two voices.
    assert re.findall(r"<voice>(\d)", bars[0]) == ["1", "5", "6"]
    assert re.findall(r"<type>(\w+)", bars[0]) == ["half", "half", "quarter"]


def test_triplets_and_dots_are_written_as_such() -> None:
    score = Score((Note(0, 1 / 3, 60), Note(1 / 3, 1, 62), Note(1, 2.5, 64)), 60.0)
    text = musicxml.encode(score).decode()
    assert re.findall(r"<type>(\w+)", text)[:3] == ["eighth", "quarter", "quarter"]
    assert text.count("<actual-notes>3<") == 2 + text.count("<rest/>\n    <duration>1<")
    assert text.count("<dot />") + text.count("<dot/>") >= 1


@pytest.mark.parametrize(
    ("pitches", "fifths", "spelled"),
    [
        ((60, 62, 64, 65, 67, 69, 71), 0, "C D E F G A B"),
        ((60, 62, 63, 65, 67, 69, 70), -2, "C D E-1 F G A B-1"),
        ((61, 62, 64, 66, 68, 69, 71), 3, "C1 D E F1 G1 A B"),
        ((60, 62, 64, 65, 67, 69, 71, 61, 63, 66, 68, 70), 0,
         "C D E F G A B C1 E-1 F1 G1 B-1"),
    ],
)  # fmt: skip
def test_the_key_signature_fits_the_notes_and_spells_them(
    pitches: tuple[int, ...], fifths: int, spelled: str
) -> None:
    long, short = 1.0, 0.125  # notes outside the scale are short
    score = Score(
        tuple(Note(i, i + (long if i < 8 else short), key) for i, key in enumerate(pitches)), 60.0
    )
    text = musicxml.encode(score).decode()
    assert re.findall(r"<fifths>(-?\d+)", text) == [str(fifths)]
    found = re.findall(r"<step>(\w)</step>\s*(?:<alter>(-?\d)</alter>)?", text)
    assert " ".join(step + alter for step, alter in found) == spelled


def test_a_score_without_notes_is_one_empty_bar() -> None:
    text = musicxml.encode(Score((), 60.0, (3, 4)))
    assert text.count(b"<measure ") == 1
    with pytest.raises(InputError, match="it holds no notes"):
        musicxml.read(text)


# ── elements of the format ────────────────────────────────────────────────────────────────────────


def test_chords_backup_and_forward_place_notes() -> None:
    bar = note("C4", 4) + note("E4", 4, chord=True) + note("G4", 2)
    bar += "<backup><duration>6</duration></backup><forward><duration>2</duration></forward>"
    bar += note("C3", 1)
    assert notes(one(measure(bar))) == [(0, 2, 60), (0, 2, 64), (1, 1.5, 48), (2, 3, 67)]


def test_bars_are_as_long_as_their_longest_part() -> None:
    voice = measure(note("C5", 8)) + measure(note("D5", 2))
    piano = measure(note("C3", 2), "<staves>2</staves>") + measure(note("D3", 2))
    assert notes(document(voice, piano)) == [(0, 1, 48), (4, 5, 50)]


def test_tied_notes_become_one_and_a_tie_that_leads_nowhere_is_ignored() -> None:
    start, stop = '<tie type="start"/>', '<tie type="stop"/>'
    first = note("C4", 2, more=start) + note("C4", 2, more=stop + start) + note("E4", more=start)
    second = note("C4", 4, more="<notations><tied type='stop'/></notations>") + note("E4")
    assert notes(one(measure(first) + measure(second))) == [
        (0, 2, 60), (2, 3, 64), (3, 5, 60), (5, 6, 64)
    ]  # fmt: skip
    across = note("C4", 4, more=start) + note("C4", 2, more=stop)
    assert notes(one(measure(across))) == [(0, 3, 60)]


def test_ties_lead_from_one_voice_to_another() -> None:
    start, stop = '<tie type="start"/>', '<tie type="stop"/>'
    first = note("E4", 2) + "<backup><duration>2</duration></backup>" + note("C4", more=start)
    second = note("C4", 2, more=stop) + "<backup><duration>2</duration></backup>" + note("E4")
    assert notes(one(measure(first) + measure(second))) == [(0, 2, 60), (0, 1, 64), (1, 2, 64)]


def test_grace_notes_cues_and_drums_are_left_out_and_counted() -> None:
    bar = "<note><grace/><pitch><step>D</step><octave>4</octave></pitch></note>" + note("C4")
    bar += note("C4").replace("<note>", "<note><cue/>")
    bar += "<note><unpitched/><duration>2</duration></note>" + note("C0") + note("C4")
    assert notes(one(measure(bar))) == [(0, 1, 60), (4, 5, 60)]
    left_out = musicxml.read(one(measure(bar))).left_out
    assert left_out == LeftOut(grace=2, drums=1, outside=1)


@pytest.mark.parametrize(
    ("transpose", "pitch"),
    [
        ("<chromatic>-2</chromatic>", 58),  # a clarinet in B♭
        ("<diatonic>0</diatonic><chromatic>0</chromatic><octave-change>-1</octave-change>", 48),
    ],
)
def test_transposing_instruments_sound_as_they_do(transpose: str, pitch: int) -> None:
    data = one(measure(note("C4"), f"<transpose>{transpose}</transpose>"))
    assert notes(data) == [(0, 1, pitch)]


def test_quarter_tones_and_double_sharps_are_rounded_to_keys() -> None:
    data = measure(note("F##4") + note("Cbb4") + note("C4").replace("<alter>0", "<alter>0.5"))
    assert [pitch for _, _, pitch in notes(one(data))] == [67, 58, 60]


def test_a_pickup_bar_is_filled_with_rests() -> None:
    first = measure(note("G4", 2), TIME.format(3, 4))
    data = one(first + measure(note("C4", 6)) + measure(note("C4", 6)))
    assert notes(data) == [(2, 3, 67), (3, 6, 60), (6, 9, 60)]
    assert notes(one(first)) == [(0, 1, 67)]  # a piece of one bar begins at once


def test_bars_without_contents_have_the_length_of_the_time_signature() -> None:
    data = measure(note("C4", 6), TIME.format(3, 4)) + "<measure/>" + measure(note("D4", 6))
    assert notes(one(data)) == [(0, 3, 60), (6, 9, 62)]


def test_the_time_signature_is_that_of_the_first_note() -> None:
    empty = measure(REST * 2, TIME.format(2, 4))
    data = empty + measure(note() * 5, TIME.format("3+2", 4)) + measure(note(), TIME.format(4, 4))
    assert musicxml.read(one(data)).time_signature == (5, 4)
    assert musicxml.read(one(measure(note(), TIME.format("x", 0)))).time_signature == (4, 4)


def test_tempos_come_from_sounds_and_metronome_marks() -> None:
    mark = (
        "<direction><direction-type><metronome><beat-unit>quarter</beat-unit><beat-unit-dot/>"
        "<per-minute>ca. 60</per-minute></metronome></direction-type>"
        "<offset>2</offset></direction>"
    )
    mark = mark.replace("ca. 60", "40 ca.")
    sound = '<sound tempo="30"/>'
    bar = sound + note("C4", 4) + mark + note("D4", 4)
    score = musicxml.read(one(measure(bar)))
    assert score.tempo == 30
    # At beat 3, 40 dotted quarters a minute are 60 quarters.
    assert score.tempo_changes == ((6.0, 60.0),)
    assert [(x.start, x.end) for x in score.notes] == [(0, 4), (4, 7)]
    assert musicxml.read(one(measure(note()))).tempo == 120


def test_dynamics_become_velocities() -> None:
    loud = '<direction><direction-type/><sound dynamics="100"/></direction>'
    bar = note() + loud + note() + note().replace("<note>", '<note dynamics="500">')
    assert [x.velocity for x in musicxml.read(one(measure(bar))).notes] == [80, 90, 127]


def test_repeats_are_not_followed() -> None:
    end = '<barline location="right"><repeat direction="backward"/></barline>'
    data = measure(note("C4", 8) + end) + measure(note("D4", 8))
    assert notes(one(data)) == [(0, 4, 60), (4, 8, 62)]


VOICE, PIANO = measure(note("C5") + note("D5")), measure(note("C3"), "<staves>2</staves>")


def test_of_voice_and_piano_the_piano_is_read_and_the_rest_is_named() -> None:
    score = musicxml.read(document(VOICE, PIANO))
    assert [(x.pitch, x.start) for x in score.notes] == [(48, 0.0)]
    assert score.program == 2
    assert score.left_out == LeftOut(other_parts=2, part_names=("Singstimme Voice",))
    assert score.left_out.counts()["other_parts"] == 2
    assert "part_names" not in score.left_out.counts()


@pytest.mark.parametrize(
    ("parts", "pitches"),
    [
        ((VOICE, PIANO.replace("<staves>2</staves>", "")), [48]),  # a keyboard on one staff
        ((VOICE.replace("<divisions>", "<staves>2</staves><divisions>"), PIANO), [48]),
        ((VOICE, measure(REST, "<staves>2</staves>")), [72, 74]),  # the piano is silent
        ((PIANO, VOICE), [48]),  # two staves go before the name of the instrument
    ],
)
def test_the_part_that_is_most_like_a_piano_is_chosen(
    parts: tuple[str, ...], pitches: list[int]
) -> None:
    assert [pitch for _, _, pitch in notes(document(*parts))] == pitches


def test_without_a_piano_all_parts_are_read() -> None:
    data = document(VOICE, measure(note("C3")), part_list=PARTS.replace(">3<", ">41<"))
    assert notes(data) == [(0, 1, 48), (0, 1, 72), (1, 2, 74)]


def test_a_document_in_utf_16_is_read() -> None:
    text = one(measure(note())).decode().replace('"1.0"', '"1.0" encoding="UTF-16"')
    assert notes(text.encode("utf-16")) == [(0, 1, 60)]


# ── hostile and damaged files ─────────────────────────────────────────────────────────────────────


def packed(content: bytes, name: str = "a.xml", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr(
            "META-INF/container.xml",
            '<container><rootfiles><rootfile full-path="a.xml"/></rootfiles></container>',
        )
        archive.writestr(name, content)
    return buffer.getvalue()


BOMB = (
    '<!DOCTYPE score-partwise [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi"))  # noqa: B905
    + "]>"
)
GOOD = one(measure(note()))


BAD = [
    (b"", "not well-formed XML: no element found"),
    (b"\x00\xff\x00", "not well-formed XML"),
    (b"PK\x03\x04 cut off", "it cannot be unpacked"),
    (b"<html><body/></html>", "it is XML of another kind"),
    (b"<part/>", "it is XML of another kind"),
    (b"<score-timewise/>", "it is ordered by measures, not by parts"),
    (GOOD[:-20], "not well-formed XML"),
    (document("", head=BOMB), "it declares XML entities or attributes of its own"),
    (document("", head='<!DOCTYPE x [<!ATTLIST note a CDATA "x">]>'), "it declares XML"),
    (one(measure("&a;")), "not well-formed XML: undefined entity"),
    (one("<part>" * 40 + "</part>" * 40), "it is nested too deeply"),
    (one(""), "it holds no notes"),
    (one(measure(REST)), "it holds no notes"),
    (one(measure("<note><unpitched/><duration>1</duration></note>")), "no notes but drums"),
    (one(measure(note("C0"))), "it holds no notes of a piano's range"),
    (one(measure(note(duration=0))), "it holds no notes"),
    (one(measure(note().replace(">2<", ">x<"))), "it holds 'x' for a number"),
    (one(measure(note().replace(">2<", ">inf<"))), "it holds 'inf' for a number"),
    (one(measure(note().replace(">2<", f">{'9' * 99}<"))), "a number of 99 characters"),
    (one(measure(note().replace(">C<", ">H<"))), "it holds 'H' for the name of a note"),
    (one(measure(note()).replace("s>2<", "s>0<")), "it divides a beat by 0"),
    (one(measure(note().replace(">2<", ">1e9<"))), "it lasts 69,444 hours"),
    (one(measure(note().replace(">2<", ">1e300<") * 9)), "it lasts "),
    (packed(GOOD, "b.xml"), "it cannot be unpacked"),
    (packed(GOOD, method=zipfile.ZIP_BZIP2), "compressed by an unusual method"),
]


@pytest.mark.parametrize(("data", "reason"), BAD, ids=[reason for _, reason in BAD])
def test_hostile_and_damaged_files_are_refused_in_a_sentence(data: bytes, reason: str) -> None:
    with pytest.raises(InputError, match=rf"^bad\.mxl is not a usable MusicXML .*{reason}") as info:
        musicxml.read(data, "bad.mxl")
    assert str(info.value).endswith(": export it again, or use another file.")


def test_large_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(musicxml, "MAX_BYTES", 1000)
    (tmp_path / "a.xml").write_bytes(b" " * 1001)
    with pytest.raises(InputError, match=r"a\.xml has over 0 MiB: use a smaller"):
        musicxml.read(tmp_path / "a.xml")
    with pytest.raises(InputError, match=r"Cannot read .*b\.xml \(No such file"):
        musicxml.read(tmp_path / "b.xml")
    with pytest.raises(InputError, match="it unpacks to over 0 MiB"):
        musicxml.read(packed(b" " * 1001), "a.mxl")
    monkeypatch.setattr(musicxml, "MAX_ELEMENTS", 10)
    with pytest.raises(InputError, match="it has over 10 elements"):
        musicxml.read(one(measure(note())), "a.xml")


def test_other_files_are_never_loaded(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("<note/>")
    head = f'<!DOCTYPE score-partwise SYSTEM "file://{tmp_path}/secret">'
    data = GOOD.replace(b'<?xml version="1.0"?>', b'<?xml version="1.0"?>' + head.encode())
    assert notes(data) == [(0, 1, 60)]


def test_elements_that_are_not_needed_take_no_memory() -> None:
    """Not their size, but what is kept of a document, is limited."""
    data = one(measure(note() + "<lyric>" + "<a/>" * 200_000 + "</lyric>"))
    tracemalloc.start()
    try:
        assert notes(data) == [(0, 1, 60)]
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_damage_is_an_error_in_a_sentence_or_a_score(data: st.DataObject) -> None:
    content = bytearray(one(measure(note() + note("E4", chord=True), TIME.format(3, 4))))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    try:
        score = musicxml.read(bytes(content), "damaged.xml")
    except InputError:
        return
    assert midi.read(midi.encode(score)).notes
