"""Corpora of music; corpora of lyrics are tested in test_corpus."""

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine import paths
from engine.config import DataConfig
from engine.data.batches import BatchStream
from engine.data.codecs import KeysCodec
from engine.data.corpus import Corpus, prepare_corpus
from engine.data.lyrics_files import LyricsSong
from engine.data.splits import SPLITS
from engine.errors import InputError
from engine.music import midi, piano_roll


@pytest.fixture
def tunes(tmp_path: Path, tune: Callable[[int], bytes]) -> Path:
    """A folder of thirty tunes, two of them equal."""
    folder = tmp_path / "tunes"
    folder.mkdir()
    for number in range(30):
        (folder / f"tune {number:02}.mid").write_bytes(tune(number % 29))
    return folder


def of_music(source: Path, **settings: object) -> Corpus:
    given = {"frame_seconds": 0.3, **settings}
    config = dataclasses.replace(DataConfig(source=str(source)), **given)  # type: ignore[arg-type]
    return prepare_corpus(config, kind="music")


def test_every_song_is_stored_as_its_roll(tunes: Path) -> None:
    corpus = of_music(tunes, valid_fraction=0.1, test_fraction=0.2)
    meta = corpus.meta
    assert (meta["kind"], corpus.name, meta["songs"]) == ("music", "tunes", 29)
    assert corpus.frames.shape == (meta["frames"], 176)
    assert corpus.frames.dtype == np.uint8
    assert [len(corpus.select(split)) for split in SPLITS] == [20, 3, 6]
    assert corpus.songs["key"].tolist() == sorted(corpus.songs["key"].tolist())
    assert isinstance(corpus.codec, KeysCodec)
    assert corpus.conditions == []
    for row, (artist, title) in enumerate(corpus.titles):
        score = midi.read(tunes / f"{title}.mid")
        assert artist == ""
        assert np.array_equal(corpus.song(row), piano_roll.from_score(score).frames(2))
        assert corpus.roll(row).onset.sum() == len(score.notes)
    assert sorted(title for _, title in corpus.titles) == [f"tune {i:02}" for i in range(29)]
    assert meta["report"] == {
        "left_out": {
            "unreadable": {"count": 0, "names": []},
            "duplicates": {"count": 1, "names": ["tune 29.mid"]},
            "other files": {"count": 0, "names": []},
        },
        "notes_left_out": {
            "drums": 0,
            "outside": 0,
            "empty": 0,
            "joined": 0,
            "grace": 0,
            "other_parts": 0,
            "repeated": 0,
        },
        "also_in_train": {"valid": 0, "test": 0},
    }


def test_a_prepared_corpus_is_used_again_until_it_changes(tunes: Path) -> None:
    seen: list[tuple[int, int]] = []
    config = DataConfig(source=str(tunes), frame_seconds=0.3)
    first = prepare_corpus(config, lambda done, total: seen.append((done, total)), "music")
    assert seen == sorted(seen)
    assert seen[-1] == (30, 30)
    stamp = (first.path / "frames.npy").stat().st_mtime_ns
    again = of_music(tunes)
    assert (again.path, again.hash) == (first.path, first.hash)
    assert (again.path / "frames.npy").stat().st_mtime_ns == stamp
    others = [
        of_music(tunes, frame_seconds=0.2),
        of_music(tunes, frame_beats=0.5),
        of_music(tunes, split_seed=1),
    ]
    (tunes / "tune 07.mid").unlink()
    others.append(of_music(tunes))
    assert len({corpus.hash for corpus in (first, *others)}) == 5
    assert len(others[-1].songs) == 28


def test_names_and_folders_of_tunes_do_not_matter(tunes: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    for number, file in enumerate(sorted(tunes.iterdir())):
        place = other / str(number % 3) / f"{99 - number}.mid"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.read_bytes())
    assert of_music(other).hash == of_music(tunes).hash


def test_splits_of_the_source_stay_and_equal_songs_across_them_are_counted(
    tmp_path: Path, tune: Callable[[int], bytes]
) -> None:
    for split, numbers in {"train": (1, 2, 3, 3), "valid": (4, 2), "test": (3, 3, 5)}.items():
        folder = tmp_path / "given" / split
        folder.mkdir(parents=True)
        for place, number in enumerate(numbers):
            (folder / f"{place}.mid").write_bytes(tune(number))
    corpus = of_music(tmp_path / "given")
    assert [len(corpus.select(split)) for split in SPLITS] == [4, 2, 3]
    for place, split in enumerate(SPLITS):
        titles = [corpus.titles[row][1] for row in corpus.select(split)]
        assert all(title.startswith(f"{split}/") for title in titles), place
    assert corpus.meta["report"]["also_in_train"] == {"valid": 1, "test": 2}
    assert corpus.meta["report"]["left_out"]["duplicates"]["count"] == 0


def test_frames_of_music_in_a_batch(tunes: Path) -> None:
    corpus = of_music(tunes)
    batch = BatchStream(corpus, "valid", 1, 1000).next_batch()
    assert batch is not None
    assert batch.targets.shape == (1000, 1, 176)
    row = corpus.select("valid")[0]
    length = len(corpus.song(row))
    assert batch.end[:, 0].nonzero()[0][0] == length
    assert np.array_equal(batch.targets[:length, 0], corpus.song(row))
    assert np.array_equal(batch.inputs[1:length, 0], corpus.song(row)[:-1])
    assert not batch.inputs[0].any()


def test_music_in_place_of_lyrics_is_refused_and_the_reverse(
    tunes: Path, tmp_path: Path, songs: list[LyricsSong], write_csv: Callable[..., Path]
) -> None:
    source = write_csv(tmp_path / "songs.csv", songs)
    music, lyrics = of_music(tunes), prepare_corpus(DataConfig(source=str(source)))
    with pytest.raises(InputError, match="is of music and has no texts"):
        music.text(0)
    with pytest.raises(InputError, match="is of lyrics and has no piano rolls"):
        lyrics.roll(0)
    with pytest.raises(
        InputError, match="has frames of 176 keys, but the model has frames of characters"
    ):
        music.translated(lyrics.codec, [])
    with pytest.raises(
        InputError, match="has frames of characters, but the model has frames of 176 keys"
    ):
        lyrics.translated(music.codec, [])
    plain = music.translated(KeysCodec(1, 0.3, None, 120.0), [])  # without onsets
    assert np.array_equal(plain.song(3), music.song(3)[:, :88])
    with pytest.raises(
        InputError, match="has frames of 88 keys, but the model has frames of 176 keys"
    ):
        plain.translated(music.codec, [])
    with pytest.raises(InputError, match="is not music: choose a MIDI or MusicXML file"):
        of_music(source)
    other = music.translated(KeysCodec(2, 0.3, None, 77.0), ["An artist"])
    assert np.array_equal(other.song(3), music.song(3))
    assert other.roll(3).tempo == 77.0


def test_a_corpus_of_frames_of_another_size_is_refused(tunes: Path) -> None:
    corpus = of_music(tunes)
    frames = np.array(corpus.frames[:, :88])  # a copy: the file is mapped
    np.save(corpus.path / "frames.npy", frames)
    with pytest.raises(InputError, match="damaged"):
        Corpus.open(corpus.path)


def test_bad_tunes_leave_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "bad.mid").write_bytes(b"bad")
    with pytest.raises(InputError, match=r"bad\.mid is not a usable MIDI file"):
        of_music(tmp_path / "bad.mid")
    assert not [item for item in paths.corpora().iterdir() if item.suffix != ".lock"]


def test_the_published_rolls(music_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, sizes, also, grid, span in (
        ("JSB_Chorales", [229, 76, 77], {"valid": 0, "test": 0}, (1.0, 72.0, (4, 4)), (31, 84)),
        ("Nottingham", [694, 173, 170], {"valid": 1, "test": 1}, (0.5, 120.0, (4, 4)), (31, 93)),
    ):
        start = time.perf_counter()
        corpus = of_music(music_data / "polymusic" / f"{name}.mat", frame_seconds=0.0)
        seconds = time.perf_counter() - start
        with capsys.disabled():
            frames = {split: facts["frames"] for split, facts in corpus.meta["splits"].items()}
            print(f"\nprepared {name}.mat in {seconds:.2f} s: {frames} frames")
        assert [len(corpus.select(split)) for split in SPLITS] == sizes
        assert corpus.meta["report"]["also_in_train"] == also
        assert corpus.codec.spec.shape == (88,)
        assert isinstance(corpus.codec, KeysCodec)
        assert (corpus.codec.beats, corpus.codec.tempo, corpus.codec.metre) == grid
        # As sung and played: a choir's range, and that of a fiddle with an accompaniment.
        pitches = 21 + np.flatnonzero(np.asarray(corpus.frames).any(0))
        assert (pitches.min(), pitches.max()) == span
