"""Corpora of lyrics; corpora of music are tested in test_corpus_format."""

import dataclasses
import json
import random
import shutil
import string
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest

from engine import paths
from engine.config import DataConfig
from engine.data import lyrics_corpus
from engine.data.codecs import END, UNKNOWN, CharacterCodec
from engine.data.corpus import Corpus, prepare_corpus
from engine.data.lyrics_files import LyricsSong
from engine.data.splits import SPLITS, split_key
from engine.errors import InputError

WriteCsv = Callable[..., Path]


@pytest.fixture
def source(tmp_path: Path, songs: list[LyricsSong], write_csv: WriteCsv) -> Path:
    return write_csv(tmp_path / "songs.csv", songs)


def prepared(source: Path, **settings: object) -> Corpus:
    config = DataConfig(source=str(source), min_count=1)
    return prepare_corpus(dataclasses.replace(config, **settings))  # type: ignore[arg-type]


def characters(corpus: Corpus) -> str:
    assert isinstance(corpus.codec, CharacterCodec)
    return corpus.codec.characters


def content(corpus: Corpus) -> dict[tuple[str, str], tuple[str, int]]:
    """Return text and split of each song by artist and title."""
    return {
        name: (corpus.text(row), int(corpus.songs["split"][row]))
        for row, name in enumerate(corpus.titles)
    }


def test_every_song_is_stored_as_its_characters_and_the_end_mark(
    source: Path, songs: list[LyricsSong]
) -> None:
    corpus = prepared(source)
    texts = {name: text for name, (text, _) in content(corpus).items()}
    assert texts == {(song.artist, song.title): song.text for song in songs}
    for row in range(len(corpus.songs)):
        song = corpus.song(row)
        assert song[-1] == END
        assert (song[:-1] > UNKNOWN).all()
        artist = corpus.conditions[corpus.songs["condition"][row] - 1]
        assert artist == corpus.titles[row][0]
    assert corpus.conditions == sorted({song.artist for song in songs})
    assert characters(corpus) == "".join(sorted(set("".join(song.text for song in songs))))
    assert corpus.frames.dtype == np.uint8


def test_the_table_is_sorted_by_key_and_split_by_it(source: Path, songs: list[LyricsSong]) -> None:
    corpus = prepared(source, valid_fraction=0.1, test_fraction=0.2, split_seed=4)
    assert sorted(split_key(song.text, 4) for song in songs) == corpus.songs["key"].tolist()
    assert [len(corpus.select(split)) for split in SPLITS] == [28, 4, 8]
    assert np.concatenate([corpus.select(s) for s in ("test", "valid", "train")]).tolist() == list(
        range(40)
    )


def test_its_facts(source: Path, songs: list[LyricsSong]) -> None:
    corpus = prepared(source)
    meta = corpus.meta
    frames = sum(len(song.text) + 1 for song in songs)
    assert (meta["kind"], corpus.name, meta["songs"], meta["frames"]) == (
        "lyrics",
        "songs",
        40,
        frames,
    )
    assert sum(meta["splits"][split]["frames"] for split in SPLITS) == frames
    assert meta["splits"]["test"]["songs"] == 2
    assert meta["source"] == str(source)
    assert len(corpus.hash) == 64
    assert meta["report"] == {
        "artists": {
            "found": {f"Band {i}": 8 for i in range(5)},
            "few": {},
            "missing": {},
            "untrained": [],
        },
        "left_out": {
            reason: {"count": 0, "names": []}
            for reason in ("too short", "duplicates", "of other artists", "other files")
        },
    }


def test_row_order_line_ends_and_file_format_do_not_matter(
    tmp_path: Path, songs: list[LyricsSong], source: Path, write_csv: WriteCsv
) -> None:
    shuffled = random.Random(1).sample(songs, len(songs))
    for song in songs:
        (tmp_path / "folder" / song.artist).mkdir(parents=True, exist_ok=True)
        file = tmp_path / "folder" / song.artist / f"{song.title}.txt"
        file.write_text(song.text, encoding="utf-8")
    lines = [
        json.dumps({"artist": song.artist, "song": song.title, "text": song.text}) for song in songs
    ]
    (tmp_path / "lines.jsonl").write_text("\n".join(lines))
    others = [
        write_csv(tmp_path / "crlf.csv", songs, "\r\n"),
        write_csv(tmp_path / "shuffled.csv", shuffled),
        tmp_path / "folder",
        tmp_path / "lines.jsonl",
    ]
    first = prepared(source)
    for other in others:
        corpus = prepared(other)
        assert corpus.hash == first.hash
        assert content(corpus) == content(first)
        assert np.array_equal(corpus.songs["key"], first.songs["key"])


@pytest.mark.parametrize("change", ["text", "case", "artist", "fewer", "seed", "rare"])
def test_the_hash_changes_with_the_songs_and_settings(
    tmp_path: Path, songs: list[LyricsSong], source: Path, write_csv: WriteCsv, change: str
) -> None:
    changed = list(songs)
    if change == "text":
        changed[3] = dataclasses.replace(songs[3], text=songs[3].text + "x")
    elif change == "case":
        changed[3] = dataclasses.replace(songs[3], text=songs[3].text.upper())
    elif change == "artist":
        changed[3] = dataclasses.replace(songs[3], artist="Band 0")
    elif change == "fewer":
        changed.pop()
    other = write_csv(tmp_path / "other.csv", changed)
    settings = {"seed": {"split_seed": 1}, "rare": {"min_count": 30}}.get(change, {})
    assert prepared(other, **settings).hash != prepared(source).hash


def write_splits(path: Path, songs: Iterable[LyricsSong], splits: Iterable[str]) -> Path:
    """Write songs as a JSONL file with their splits."""
    lines = [
        json.dumps({"artist": song.artist, "song": song.title, "text": song.text, "split": split})
        for song, split in zip(songs, splits, strict=True)
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_splits_of_the_source_are_those_of_the_corpus(
    tmp_path: Path, songs: list[LyricsSong]
) -> None:
    names = ["test", "valid", "train", "", "train"]
    splits = [names[number % 5] for number in range(len(songs))]
    corpus = prepared(write_splits(tmp_path / "a.jsonl", songs, splits), test_fraction=0.5)
    texts = {name: {corpus.text(row) for row in corpus.select(name)} for name in SPLITS}
    assert texts == {
        name: {
            song.text
            for song, split in zip(songs, splits, strict=True)
            if (split or "train") == name
        }
        for name in SPLITS
    }
    splits[2] = "test"
    other = prepared(write_splits(tmp_path / "b.jsonl", songs, splits), test_fraction=0.5)
    assert other.hash != corpus.hash


@pytest.mark.parametrize("backwards", [False, True])
def test_a_held_out_song_stays_held_out_where_it_is_repeated(
    tmp_path: Path, songs: list[LyricsSong], backwards: bool
) -> None:
    """The repeated ones, and a cover without a split, are not trained on."""
    covers = [LyricsSong("The Covers", song.title, song.text) for song in songs[:5]]
    rows = [*songs, *songs[:5], *songs[:5], *covers]
    splits = [*["test"] * 5, *["train"] * (len(songs) - 5), *["train"] * 5, *[""] * 10]
    step = -1 if backwards else 1
    source = write_splits(tmp_path / "a.jsonl", rows[::step], splits[::step])
    corpus = prepared(source, valid_fraction=0.1)
    tests = [corpus.text(row) for row in corpus.select("test")]
    assert sorted(tests) == sorted(song.text for song in songs[:5] for _ in range(2))
    assert len(corpus.songs) == len(songs) + 5


def test_duplicates_are_dropped_and_covers_stay_in_one_split(
    tmp_path: Path, songs: list[LyricsSong], write_csv: WriteCsv
) -> None:
    twins = [
        LyricsSong(song.artist, song.title, f" {song.text.upper()}\n\n") for song in songs[:10]
    ]
    covers = [LyricsSong("The Covers", song.title, song.text) for song in songs]
    rows = songs + twins + covers
    corpus = prepared(write_csv(tmp_path / "a.csv", rows), valid_fraction=0.2, test_fraction=0.2)
    assert corpus.meta["report"]["left_out"]["duplicates"]["count"] == 10
    assert len(corpus.songs) == 80
    by_key: dict[int, set[int]] = {}
    for song in corpus.songs:
        by_key.setdefault(int(song["key"]), set()).add(int(song["split"]))
    assert all(len(places) == 1 for places in by_key.values())
    assert [len(corpus.select(split)) for split in SPLITS] == [48, 16, 16]
    reordered = prepared(
        write_csv(tmp_path / "b.csv", rows[::-1]), valid_fraction=0.2, test_fraction=0.2
    )
    assert content(reordered) == content(corpus)  # also which of two twins stays
    assert reordered.hash == corpus.hash


def test_short_songs_and_unwanted_artists_are_left_out_and_counted(
    tmp_path: Path, songs: list[LyricsSong], write_csv: WriteCsv
) -> None:
    rows = [
        *songs,
        LyricsSong("Band 1", "Tiny", "la"),
        LyricsSong("Rarely Heard", "Once", "only one " * 9),
    ]
    corpus = prepared(
        write_csv(tmp_path / "a.csv", rows),
        artists=("band 1", "BAND  4", "Rarely Heard", "Bnad 3"),
        min_songs=2,
    )
    assert corpus.conditions == ["Band 1", "Band 4"]
    assert len(corpus.songs) == 16
    report = corpus.meta["report"]
    assert report["left_out"]["too short"] == {"count": 1, "names": ["Band 1 – Tiny"]}
    assert report["left_out"]["of other artists"]["count"] == 25
    assert report["artists"]["few"] == {"Rarely Heard": 1}
    assert "Band 3" in report["artists"]["missing"]["Bnad 3"]


def test_spellings_that_differ_in_case_are_one_artist(
    tmp_path: Path, songs: list[LyricsSong], write_csv: WriteCsv
) -> None:
    names = ["ABBA"] * 14 + ["Abba"] * 13 + ["abba"] * 13
    rows = [dataclasses.replace(song, artist=name) for song, name in zip(songs, names, strict=True)]
    for order in (rows, rows[::-1]):
        corpus = prepared(write_csv(tmp_path / "a.csv", order))
        assert corpus.conditions == ["ABBA"]
        assert corpus.meta["report"]["artists"]["found"] == {"ABBA": 40}
        assert {artist for artist, _ in corpus.titles} == {"ABBA"}


def test_artists_without_a_training_song_are_reported(
    tmp_path: Path, songs: list[LyricsSong], write_csv: WriteCsv
) -> None:
    rows = [dataclasses.replace(song, artist=f"Band {i:02}") for i, song in enumerate(songs)]
    corpus = prepared(write_csv(tmp_path / "a.csv", rows))
    held_out = [
        artist for row, (artist, _) in enumerate(corpus.titles) if corpus.songs["split"][row]
    ]
    assert len(held_out) == 4
    assert corpus.meta["report"]["artists"]["untrained"] == sorted(held_out)


def test_one_song_is_a_corpus_but_not_enough_for_training(
    tmp_path: Path, songs: list[LyricsSong], write_csv: WriteCsv
) -> None:
    corpus = prepared(write_csv(tmp_path / "a.csv", songs[:1]))
    assert [len(corpus.select(split)) for split in SPLITS] == [1, 0, 0]
    with pytest.raises(InputError, match="1 different song cannot be split with"):
        corpus.require_splits(DataConfig())
    corpus.require_splits(DataConfig(valid_fraction=0.0, test_fraction=0.0))
    prepared(write_csv(tmp_path / "b.csv", songs)).require_splits(DataConfig())


def test_files_that_are_not_songs_are_counted_and_named(
    tmp_path: Path, songs: list[LyricsSong]
) -> None:
    for song in songs:
        (tmp_path / "songs" / song.artist).mkdir(parents=True, exist_ok=True)
        (tmp_path / "songs" / song.artist / f"{song.title}.txt").write_text(song.text)
    for name in ("loose.txt", "Band 1/cover.jpg", ".hidden", "README.md", "Band 1/LICENSE"):
        (tmp_path / "songs" / name).touch()
    report = prepared(tmp_path / "songs").meta["report"]
    assert report["left_out"]["other files"] == {
        "count": 2,
        "names": ["Band 1/cover.jpg", "loose.txt"],
    }


def test_songs_without_an_artist_have_no_condition(
    tmp_path: Path, songs: list[LyricsSong], write_csv: WriteCsv
) -> None:
    nameless = [dataclasses.replace(song, artist="") for song in songs[:20]]
    corpus = prepared(write_csv(tmp_path / "a.csv", nameless + songs[20:]))
    assert "" not in corpus.conditions
    assert np.sum(corpus.songs["condition"] == 0) == 20


def test_rare_characters_become_unknown(
    tmp_path: Path, songs: list[LyricsSong], write_csv: WriteCsv
) -> None:
    odd = [*songs, LyricsSong("Band 0", "Odd", "a piano 🎹🎹 and a harp 𝄞 played")]
    path = write_csv(tmp_path / "a.csv", odd)
    assert "🎹" in characters(prepared(path, min_count=2))
    assert "𝄞" not in characters(prepared(path, min_count=2))
    text = content(prepared(path, min_count=2))["Band 0", "Odd"][0]
    assert text == "a piano 🎹🎹 and a harp \ufffd played"


def test_a_large_alphabet_takes_two_bytes_a_frame(tmp_path: Path, write_csv: WriteCsv) -> None:
    rows = [
        LyricsSong("A", str(i), "".join(map(chr, range(0x4E00 + i, 0x4F00 + i)))) for i in range(90)
    ]
    corpus = prepared(write_csv(tmp_path / "a.csv", rows))
    assert corpus.frames.dtype == np.uint16
    assert {title: text for (_, title), (text, _) in content(corpus).items()} == {
        song.title: song.text for song in rows
    }


def test_a_prepared_corpus_is_used_again(source: Path, home: Path) -> None:
    first = prepared(source)
    stamps = {file.name: file.stat().st_mtime_ns for file in first.path.iterdir()}
    assert sorted(stamps) == ["frames.npy", "meta.json", "songs.npy", "titles.txt"]
    assert first.path.parent == home / "corpora" == paths.corpora()
    again = prepared(source)
    assert again.path == first.path
    assert {file.name: file.stat().st_mtime_ns for file in again.path.iterdir()} == stamps


def test_a_changed_source_or_setting_is_prepared_again(
    source: Path, songs: list[LyricsSong], write_csv: WriteCsv
) -> None:
    first = prepared(source)
    assert prepared(source, min_length=17).path != first.path
    write_csv(source, songs[:30])
    assert len(prepared(source).songs) == 30


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("meta.json", None),
        ("meta.json", b"{}"),
        ("meta.json", b'{"format": 0}'),
        ("meta.json", b"[1]"),
        ("frames.npy", b"short"),
        ("frames.npy", "half"),
        ("songs.npy", b""),
        ("songs.npy", "half"),
    ],
)
def test_a_damaged_corpus_is_refused_and_rebuilt(
    source: Path, file: str, content: bytes | str | None
) -> None:
    first = prepared(source)
    path = first.path / file
    whole = path.read_bytes()
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content if isinstance(content, bytes) else whole[: len(whole) // 2])
    with pytest.raises(InputError, match="prepare it again"):
        Corpus.open(first.path)
    again = prepared(source)
    assert again.hash == first.hash
    assert path.read_bytes() == whole


def test_a_table_that_points_beyond_the_frames_is_refused(source: Path) -> None:
    corpus = prepared(source)
    for column, value in (("start", 10**6), ("length", 0), ("condition", 99), ("split", 1)):
        songs = corpus.songs.copy()
        songs[column][0] = value
        np.save(corpus.path / "songs.npy", songs)
        with pytest.raises(InputError, match="damaged"):
            Corpus.open(corpus.path)


@pytest.mark.parametrize(
    ("rows", "settings", "message"),
    [
        ([], {}, "has no songs"),
        ([LyricsSong("A", "B", "tiny")] * 3, {}, "fewer than 16 characters: lower data.min_length"),
        (None, {"artists": ("Bend 1",)}, "did you mean 'Band 1'"),
        (None, {"min_songs": 9}, "lower data.min_songs"),
    ],
)
def test_no_song_left_is_an_error_and_nothing_is_written(
    tmp_path: Path,
    songs: list[LyricsSong],
    write_csv: WriteCsv,
    rows: list[LyricsSong] | None,
    settings: dict[str, object],
    message: str,
) -> None:
    path = write_csv(tmp_path / "a.csv", songs if rows is None else rows)
    with pytest.raises(InputError) as caught:
        prepared(path, **settings)
    assert message in str(caught.value)
    assert not [item for item in paths.corpora().iterdir() if item.suffix != ".lock"]


def test_an_error_late_in_the_source_leaves_nothing(
    tmp_path: Path, songs: list[LyricsSong], write_csv: WriteCsv
) -> None:
    path = write_csv(tmp_path / "a.csv", songs)
    path.write_bytes(path.read_bytes() + b"A,B,/x,caf\xe9\n")
    with pytest.raises(InputError, match="UTF-8"):
        prepared(path)
    assert not [item for item in paths.corpora().iterdir() if item.suffix != ".lock"]


def test_a_full_disk_is_an_error_and_leaves_nothing(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(lyrics_corpus, "write_frames_header", full)
    with pytest.raises(InputError, match="No space left"):
        prepared(source)
    assert not [item for item in paths.corpora().iterdir() if item.suffix != ".lock"]


def test_files_of_a_killed_preparation_are_removed(source: Path) -> None:
    path = prepared(source).path
    (path / "meta.json").unlink()
    stale = path.with_name(f".{path.name}.abc123")
    stale.mkdir()
    (stale / "frames.npy").touch()
    prepared(source)
    assert not stale.exists()


def test_progress_rises_to_its_total(source: Path) -> None:
    seen: list[tuple[int, int]] = []
    prepare_corpus(DataConfig(source=str(source)), lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert len(seen) >= 3
    assert seen[-1] == (source.stat().st_size,) * 2


def test_a_corpus_has_the_name_of_its_data_set(
    songs: list[LyricsSong], write_csv: WriteCsv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.paths.assets", lambda: tmp_path)
    write_csv(tmp_path / "corpora/originals.csv", songs)
    corpus = prepare_corpus(DataConfig(source="originals"))
    assert corpus.name == "originals"
    assert corpus.path.name.startswith("originals-")


def test_two_processes_prepare_it_once(source: Path, home: Path) -> None:
    code = (
        "import sys; from engine.config import DataConfig;"
        "from engine.data.corpus import prepare_corpus;"
        "print(prepare_corpus(DataConfig(source=sys.argv[1], min_count=1)).hash)"
    )
    command = [sys.executable, "-c", code, str(source)]
    both = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert outputs[0][0] == outputs[1][0] == prepared(source).hash + "\n"
    assert len([item for item in paths.corpora().iterdir() if item.suffix != ".lock"]) == 1


def test_translated_to_another_codec(source: Path) -> None:
    corpus = prepared(source)
    codec = CharacterCodec("\n aeilno")
    other = corpus.translated(codec, ["Elsewhere", "band 3"])
    for row in range(len(corpus.songs)):
        assert other.song(row)[:-1].tolist() == codec.encode(corpus.text(row)).tolist()
        assert other.song(row)[-1] == END
        expected = 2 if corpus.titles[row][0] == "Band 3" else 0
        assert other.songs["condition"][row] == expected
    assert other.codec == codec
    assert other.conditions == ["Elsewhere", "band 3"]
    assert other.titles == corpus.titles
    twice = other.translated(corpus.codec, corpus.conditions)
    known = set(codec.characters)
    assert twice.text(0) == "".join(c if c in known else "\ufffd" for c in corpus.text(0))
    assert corpus.songs["condition"].all()  # the first is as it was


def test_chunk_sizes_do_not_change_the_files(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the last byte. (The rows of large sources are converted in chunks.)"""

    def files(corpus: Corpus) -> dict[str, bytes]:
        found = {path.name: path.read_bytes() for path in corpus.path.iterdir()}
        shutil.rmtree(corpus.path)
        return found

    whole = files(prepared(source, min_count=40))
    assert len(whole) == 4
    for together in (1, 2, 7):
        monkeypatch.setattr(lyrics_corpus, "LOOKUP_ROWS", together)
        monkeypatch.setattr(lyrics_corpus, "COUNT_SONGS", together)
        assert files(prepared(source, min_count=40)) == whole


def test_memory_does_not_grow_with_the_texts(tmp_path: Path) -> None:
    def peak(words: int) -> int:
        path = tmp_path / f"{words}.jsonl"
        with path.open("w") as file:
            for number in range(1000):
                text = f"{number} " + (99 * "n" + " ") * words
                file.write(json.dumps({"artist": "A", "text": text}) + "\n")
        tracemalloc.start()
        prepared(path)
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(1)
    assert peak(100) < peak(1) + 2_000_000  # of 10 MB of texts


def test_the_real_file(lyrics_csv: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start = time.perf_counter()
    corpus = prepare_corpus(DataConfig(source=str(lyrics_csv)))
    seconds = time.perf_counter() - start
    with capsys.disabled():
        print(f"\nprepared {lyrics_csv.name} in {seconds:.2f} s")
    assert len(corpus.songs) + corpus.meta["report"]["left_out"]["duplicates"]["count"] == 2893
    assert len(corpus.conditions) == 67
    assert set(characters(corpus)) <= set(string.printable)
    assert [len(corpus.select(split)) for split in SPLITS] == [2601, 145, 145]
