"""The included piano pieces, as their files are: properties that every piece should have."""

import re
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

import pytest

from engine import paths
from engine.data import music_files
from engine.music import midi
from engine.music.score import Note, Score

FOLDER = paths.assets() / "corpora/pieces"
FILES = sorted(FOLDER.rglob("*.mid"))
TONICS = [
    "C",
    "D flat",
    "D",
    "E flat",
    "E",
    "F",
    "G flat",
    "G",
    "A flat",
    "A",
    "B flat",
    "B",
    "C sharp",
    "F sharp",
]


@pytest.fixture(scope="module")
def scores() -> dict[str, Score]:
    return {file.stem: midi.read(file) for file in FILES}


@pytest.fixture(scope="module")
def table() -> dict[str, list[str]]:
    """Return the rows of the README, by file."""
    lines = (FOLDER / "README.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if ".mid" in line]
    return {Path(row[0]).stem: row for row in rows}


def grid(score: Score) -> dict[int, list[Note]]:
    """Return the notes by their start in twelfths of a quarter."""
    beats = score.tempo_map.beats([note.start for note in score.notes])
    result = defaultdict(list)
    for beat, note in zip(beats.tolist(), score.notes, strict=True):
        assert abs(beat * 12 - round(beat * 12)) < 0.05
        result[round(beat * 12)].append(note)
    return result


def bar_length(score: Score) -> int:
    return 48 * score.time_signature[0] // score.time_signature[1]


def bars_of_melody(score: Score) -> list[tuple[tuple[int, int], ...]]:
    """Return the (tick, pitch) of each bar's notes that start above all that sounds."""
    bars: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    until, held = 0.0, 0  # the highest key that sounds
    for tick, notes in sorted(grid(score).items()):
        top = max(notes, key=lambda note: note.pitch)
        if top.pitch >= 60 and (top.pitch >= held or top.start > until - 0.01):
            bars[tick // bar_length(score)].append((tick % bar_length(score), top.pitch))
            until, held = top.end, top.pitch
        elif top.start > until - 0.01:
            held = 0
    return [tuple(bars[number]) for number in sorted(bars)]


def test_the_folder_is_a_corpus_with_its_split() -> None:
    splits = Counter(file.parent.name for file in FILES)
    assert splits == {"train": 80, "valid": 8, "test": 8}
    assert music_files.list_files(FOLDER) == FILES
    assert sum(file.stat().st_size for file in FILES) < 400_000


def test_the_table_names_every_piece(scores: dict[str, Score], table: dict[str, list[str]]) -> None:
    assert set(table) == set(scores)
    assert len({row[1] for row in table.values()}) == len(table)
    for name, (file, _, _, mood, _, metre, tempo, _, seconds) in table.items():
        assert (FOLDER / file).is_file()
        assert mood
        assert metre == "{}/{}".format(*scores[name].time_signature)
        assert float(tempo) == pytest.approx(scores[name].tempo, abs=0.01)
        assert float(seconds) == pytest.approx(scores[name].end, abs=0.51)


def test_there_are_many_keys_metres_moods_and_styles(table: dict[str, list[str]]) -> None:
    keys = [row[4] for row in table.values()]
    tonics = {key[: key.index(" ", 6)] if key[2:6] in ("flat", "shar") else key[0] for key in keys}
    assert tonics >= {*"CDEFGAB", "D flat", "E flat", "F sharp", "A flat", "B flat"}
    assert len(set(keys)) >= 30
    assert len({row[5] for row in table.values()}) >= 8
    assert len({row[2] for row in table.values()}) >= 24
    assert len({row[3] for row in table.values()}) >= 60
    held_back = [row[2] for row in table.values() if not row[0].startswith("train")]
    assert len(set(held_back)) >= 12


def test_a_pianist_could_play_every_piece(scores: dict[str, Score]) -> None:
    for name, score in scores.items():
        assert 20 <= score.end <= 60, name
        assert min(note.pitch for note in score.notes) >= 31, name
        assert 76 <= max(note.pitch for note in score.notes) <= 100, name
        assert min(note.velocity for note in score.notes) >= 30, name
        assert len({note.velocity for note in score.notes}) >= 6, name
        for notes in grid(score).values():
            low = [note.pitch for note in notes if note.pitch < 60]
            assert not low or max(low) - min(low) <= 28, (
                name
            )  # at most a chord that has to be rolled
            assert len(notes) <= 6, name


def test_bars_begin_in_consonance(scores: dict[str, Score]) -> None:
    """Of melody against bass; dissonances are those of drones, appoggiaturas and the blues."""
    shares = {}
    for name, score in scores.items():
        consonant = []
        for tick, notes in grid(score).items():
            if tick % bar_length(score) == 0:
                moment = notes[0].start + 1e-4
                keys = sorted(x.pitch for x in score.notes if x.start <= moment < x.end)
                consonant.append((keys[-1] - keys[0]) % 12 in (0, 3, 4, 5, 7, 8, 9))
                assert all(b - a != 1 for a, b in pairwise(keys)), (name, tick)
        shares[name] = sum(consonant) / len(consonant)
    assert min(shares.values()) >= 0.6, min(shares.items(), key=lambda item: item[1])
    assert sum(shares.values()) / len(shares) >= 0.94


def test_themes_return(scores: dict[str, Score], table: dict[str, list[str]]) -> None:
    for name, score in scores.items():
        bars = bars_of_melody(score)
        rhythms = Counter(tuple(start for start, _ in bar) for bar in bars)
        assert sum(n for n in rhythms.values() if n > 1) / len(bars) >= 0.5, name
        whole = Counter(tuple((start, pitch % 12) for start, pitch in bar) for bar in bars)
        assert len(whole) >= 6, name
        if re.search("A(?![*])", table[name][7][1:]):
            assert sum(n for n in whole.values() if n > 1) / len(bars) >= 0.3, name


def test_pieces_end_on_the_tonic(scores: dict[str, Score], table: dict[str, list[str]]) -> None:
    """The last chord is on the tonic, and the melody ends in that chord."""
    numbers = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
    for name, score in scores.items():
        letter, sign = table[name][4].split()[:2]
        tonic = numbers[letter] + {"flat": -1, "sharp": 1}.get(sign, 0)
        form = table[name][7]
        if form[-1] == "C":  # a ragtime may end in its trio's key
            tonic += 5
        bottom = min(
            (note for note in score.notes if note.end > score.end - 0.05), key=lambda x: x.pitch
        )
        top = max(score.notes, key=lambda note: (note.start, note.pitch))
        assert (bottom.pitch - tonic) % 12 == 0, name
        assert (top.pitch - tonic) % 12 in (0, 3, 4, 7), name


def test_no_two_pieces_share_a_tune(scores: dict[str, Score]) -> None:
    """Ten consecutive notes of a melody hardly ever occur in another piece, in any key."""
    owners: defaultdict[tuple[int, ...], set[str]] = defaultdict(set)
    for name, score in scores.items():
        line = [pitch for bar in bars_of_melody(score) for _, pitch in bar]
        moves = [b - a for a, b in pairwise(line)]
        for start in range(len(moves) - 8):
            owners[tuple(moves[start : start + 9])].add(name)
    total = Counter(name for names in owners.values() for name in names)
    shared = Counter(name for names in owners.values() if len(names) > 1 for name in names)
    assert min(total.values()) >= 20
    worst = max(total, key=lambda name: shared[name] / total[name])
    assert shared[worst] / total[worst] <= 0.15, worst
    assert shared.total() / total.total() <= 0.01
