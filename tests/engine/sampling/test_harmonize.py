"""A harmonized melody is kept exactly, on top, and ends over the tonic's chord."""

import functools
import itertools
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.data.codecs import KeysCodec
from engine.errors import InputError
from engine.inference import models
from engine.inference.models import Model
from engine.music import midi
from engine.music.melody import parse_melody
from engine.music.pitch import HIGHEST_PITCH, LOWEST_PITCH
from engine.music.score import Note, Score, merge_overlapping
from engine.sampling import harmonize
from engine.sampling.harmonize import STUCK_NATS, HarmonyRequest, HarmonyStream, HeldKeys

WriteMusic = Callable[..., Path]
# Frames of seconds or of beats, with and without onsets, of each head.
MODELS = [
    {"planes": 1, "head": "joint", "match_memory": True},
    {"planes": 2, "head": "joint", "beats": 0.5},
    {"planes": 1, "head": "independent", "beats": 1.0},
    {"planes": 2, "head": "independent"},
]


@st.composite
def melodies(draw: st.DrawFn) -> Score:
    """Notes off any grid, one after another, overlapping, or at once, with or without rests."""
    middle = draw(st.integers(LOWEST_PITCH, HIGHEST_PITCH))
    start = draw(st.sampled_from([0.0, 0.7]))
    notes = []
    for _ in range(draw(st.integers(1, 5))):
        length = draw(st.floats(0.02, 1))
        pitch = min(HIGHEST_PITCH, max(LOWEST_PITCH, middle + draw(st.integers(-9, 9))))
        notes.append(Note(start, start + length, pitch, draw(st.integers(1, 127))))
        start += draw(st.sampled_from([0.0, length / 2, length, length + 0.4]))
    changes = draw(st.sampled_from([(), ((0.5, 70.0),)]))
    time_signature = draw(st.sampled_from([(4, 4), (3, 8)]))
    return Score(merge_overlapping(notes), 100.0, time_signature, tempo_changes=changes)


def load(write_music: WriteMusic, folder: Path, index: int) -> Model:
    path = folder / str(index)
    return models.load(str(path if path.exists() else write_music(path, **MODELS[index])))


def harmonized(model: Model, melody: Score, seed: int = 0, **options: float) -> HarmonyStream:
    song = harmonize.stream(model, HarmonyRequest(melody, seed=seed, **options))  # type: ignore[arg-type]
    assert len(list(song)) == song.frames
    return song


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture
def load_model(write_music: WriteMusic, folder: Path) -> Callable[[int], Model]:
    return functools.partial(load, write_music, folder)


def test_every_note_of_a_melody_is_kept_and_stays_on_top(
    load_model: Callable[[int], Model],
) -> None:
    built = [load_model(index) for index in range(len(MODELS))]

    @settings(max_examples=12, deadline=None)
    @given(melodies(), st.integers(0, 3), st.sampled_from([0.0, 1.0, float("inf")]))
    def check(melody: Score, index: int, temperature: float) -> None:
        song = harmonized(built[index], melody, temperature=temperature)
        score = song.score
        added = [*(Counter(score.notes) - Counter(melody.notes)).elements()]
        assert len(added) == len(score.notes) - len(melody.notes)  # every note of it is there
        same = (score.tempo, score.time_signature, score.tempo_changes)
        assert same == (melody.tempo, melody.time_signature, melody.tempo_changes)
        moments = sorted({time for note in score.notes for time in (note.start, note.end)})
        for start, end in itertools.pairwise(moments):
            if end - start < 1e-5:  # within the rounding of positions in frames
                continue
            middle = (start + end) / 2
            heard = [note for note in melody.notes if note.start < middle < note.end]
            others = [note.pitch for note in added if note.start < middle < note.end]
            if heard:
                assert max(others, default=0) < max(note.pitch for note in heard)
                assert not {note.pitch for note in heard} & {*others}
            assert all(LOWEST_PITCH <= pitch <= HIGHEST_PITCH for pitch in others)
        check_ending(song, melody, score)

    check()


def check_ending(song: HarmonyStream, melody: Score, score: Score) -> None:
    """Nothing follows the last note; the tonic's chord is beneath it if it belongs to it."""
    assert score.end == melody.end
    assert song.frames == len(song.bits)
    if song.close < len(song.bits):
        last = max(melody.notes, key=lambda note: (note.end, note.pitch))
        chord = Counter(note for note in score.notes if note.end > score.end - 1e-6)
        chord -= Counter(melody.notes)
        assert len(chord) >= 2
        (start,) = {note.start for note in chord}  # struck together
        slowest = min(melody.tempo, *(tempo for _, tempo in melody.tempo_changes), song.codec.tempo)
        frame = song.codec.seconds * song.codec.tempo / slowest
        assert last.start - frame < start < last.start + frame + 1e-6
        classes = {note.pitch % 12 for note in (*chord, last)}
        assert {*song.key.triad[:2]} <= classes <= {*song.key.triad}
        assert min(note.pitch for note in chord) % 12 == song.key.tonic


@pytest.mark.parametrize(
    ("last", "closes"), [("C5:2", True), ("E5", True), ("G4:0.5", True), ("B4", False)]
)
def test_the_last_note_is_over_the_chord_of_the_tonic(
    load_model: Callable[[int], Model], last: str, closes: bool
) -> None:
    melody = parse_melody(f"C5:3 E5 G5 E5 C5:3 D5 {last}", 100)
    for index in range(len(MODELS)):
        song = harmonized(load_model(index), melody)
        assert (song.close < len(song.bits)) == closes
        check_ending(song, melody, song.score)


def test_the_same_seed_adds_the_same_notes(load_model: Callable[[int], Model]) -> None:
    model = load_model(1)
    melody = parse_melody("C5 E5 G5:0.5 r:0.5 E5 D5 B4", 100)
    first, again, other = (harmonized(model, melody, seed).score for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_melody_survives_a_midi_file(load_model: Callable[[int], Model], tmp_path: Path) -> None:
    melody = parse_melody("C5 E5 G5:0.5 r:0.5 E5 D5 B4 C5:2", 100)
    midi.write(harmonized(load_model(1), melody).score, tmp_path / "out.mid")
    read = midi.read(tmp_path / "out.mid")
    spans = {(note.pitch, round(note.start, 3), round(note.end, 3)) for note in read.notes}
    for note in melody.notes:
        assert (note.pitch, round(note.start, 3), round(note.end, 3)) in spans


def test_the_tonic_is_moved_to_c_in_the_octave_that_the_model_expects() -> None:
    notes = parse_melody("D4 F#4 A4 D5").notes
    assert harmonize.transpositions(notes, -2) == [-2, 10, -14]
    high = parse_melody("C8 A7 F7").notes
    assert harmonize.transpositions(high, -5) == [-5, -17]
    wide = parse_melody("A0 C8").notes
    assert harmonize.transpositions(wide, 3) == [3]


def test_the_octave_is_the_one_that_the_model_finds_most_probable(
    load_model: Callable[[int], Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harmonize, "_trial", lambda song: abs(song.shift - 12))
    melody = parse_melody("C4 E4 G4 C5")
    song = harmonized(load_model(0), melody)
    assert song.shift == 12
    assert np.flatnonzero(song.bits.max(0)).tolist() == [51, 55, 58, 63]  # C5 … C6
    assert {note for note in song.score.notes if note.velocity == 80} == {*melody.notes}


def test_free_keys_are_below_the_melody_and_not_its_own() -> None:
    quarter = KeysCodec(1, None, 1.0, 60.0)
    melody = Score(
        (
            Note(0.5, 2.0, 60),  # from the middle of the first frame
            Note(1.0, 1.5, 72),  # above it, for half a frame
            Note(3.0, 3.2, 40),  # after a rest
        ),
        60.0,
    )
    bits, free = harmonize.melody_frames(quarter, melody)
    assert [np.flatnonzero(row).tolist() for row in bits] == [[39], [39, 51], [], [19]]
    assert [int(row.sum()) for row in free] == [39, 39, 39, 19]


def test_the_most_probable_version_of_each_bar_is_kept(
    load_model: Callable[[int], Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The average over seeds: of many versions, the best is more probable than of one."""
    model = load_model(0)
    melody = parse_melody("C5 E5 G5 E5 D5 B4 C5:2", 100)
    monkeypatch.setattr(harmonize, "TRIAL_FRAMES", 1)
    many = np.mean([harmonized(model, melody, seed).nats for seed in range(4)])
    monkeypatch.setattr(harmonize, "VERSIONS", 1)
    one = np.mean([harmonized(model, melody, seed).nats for seed in range(4)])
    assert many < one


def test_a_stop_ends_the_stream(load_model: Callable[[int], Model]) -> None:
    melody = parse_melody("C5 D5 E5 F5 G5:8 C5")
    stop = threading.Event()
    song = harmonize.stream(load_model(0), HarmonyRequest(melody, seed=0), stop.is_set)
    for _ in song:
        stop.set()
    assert song.reason == "stopped"
    assert song.frames == 7  # a bar: 2 s of 0.3 s each
    assert {*melody.notes} <= {*song.score.notes}


def test_invalid_requests(load_model: Callable[[int], Model], build: Callable[..., Model]) -> None:
    melody = parse_melody("C5")
    model = load_model(0)
    for wrong, message in [
        (HarmonyRequest(Score(())), "The melody has no notes"),
        (HarmonyRequest(melody, temperature=-1), "Temperature must be"),
        (HarmonyRequest(Score((Note(0, 40_000, 60),))), "133,334 frames: the limit is 100,000"),
    ]:
        with pytest.raises(InputError, match=message):
            harmonize.stream(model, wrong)
    with pytest.raises(InputError, match="writes lyrics"):
        harmonize.stream(build(), HarmonyRequest(melody))


def test_keys_that_are_held_too_long_cost() -> None:
    held = HeldKeys(2, 2)
    chord = np.zeros((2, 88), np.bool_)
    chord[:, 30] = True
    other = chord.copy()
    other[1, 34] = True
    assert held.add(chord).tolist() == held.add(chord).tolist() == [0, 0]
    assert held.add(other).tolist() == [STUCK_NATS, 0]
    held.keep(1)
    assert held.add(other).tolist() == [0, 0]
    silence = np.zeros((2, 88), np.bool_)
    assert [held.add(silence).tolist() for _ in range(4)] == [[0, 0]] * 4
