"""One pass over a source of music; corpora of music are tested in test_corpus_format."""

import dataclasses
import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.config import DataConfig
from engine.data import datasets, music_corpus
from engine.data.codecs import KeysCodec
from engine.data.datasets import Grid
from engine.data.splits import TEST, TRAIN
from engine.errors import InputError
from engine.music import midi
from engine.music.score import Note, Score

Tune = Callable[[int], bytes]
NO_SPLITS = DataConfig(valid_fraction=0.0, test_fraction=0.0, frame_seconds=0.3)


def write(folder: Path, contents: dict[str, bytes]) -> Path:
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def store(source: Path, config: DataConfig = NO_SPLITS) -> tuple[music_corpus.StoredSongs, bytes]:
    file = io.BytesIO()
    return music_corpus.store_songs(file, source, config, lambda *_: None), file.getvalue()


def test_the_frames_are_written_end_to_end(tmp_path: Path, tune: Tune) -> None:
    stored, data = store(write(tmp_path, {f"{i}.mid": tune(i) for i in range(6)}))
    assert stored.names == [str(i) for i in range(6)]
    assert stored.lengths.tolist() == [20 + i for i in range(6)]
    frames = np.frombuffer(data, np.uint8).reshape(-1, 176)
    assert len(frames) == stored.lengths.sum()
    assert (frames[:, :88].sum(axis=1) == 1).all()  # the tunes have one voice …
    assert np.array_equal(frames[:, :88], frames[:, 88:])  # … of short notes
    assert len(set(stored.keys.tolist())) == 6
    assert stored.codec.to_json() == {
        "kind": "keys",
        "planes": 2,
        "frame": 0.3,
        "beats": None,
        "tempo": 100.5,  # the median
        "metre": (4, 4),
    }


def test_a_frame_may_be_a_part_of_a_beat(tmp_path: Path, tune: Tune) -> None:
    config = dataclasses.replace(NO_SPLITS, frame_beats=0.25)
    stored, _ = store(write(tmp_path, {"a.mid": tune(2)}), config)
    assert (stored.codec.frame, stored.codec.beats) == (None, 0.25)
    assert stored.lengths.tolist() == [44]


def test_songs_off_the_grid_can_be_left_out(tmp_path: Path, tune: Tune) -> None:
    # Notes of 0.3 s are half a beat at 100 beats per minute, and not at 101.
    source = write(tmp_path, {"a.mid": tune(2), "b.mid": tune(1)})
    config = dataclasses.replace(NO_SPLITS, frame_beats=0.25, max_off_grid=0.05)
    stored, data = store(source, config)
    assert stored.names == ["a"]
    assert len(data) == stored.lengths.sum() * 176
    off = stored.report["left_out"]["off the grid"]
    assert (off["count"], off["names"][0][:7]) == (1, "b.mid (")
    every = dataclasses.replace(config, max_off_grid=1.0)
    assert store(source, every)[0].names == ["a", "b"]
    with pytest.raises(InputError, match=r"^All 1 songs of .* set it higher"):
        store(write(tmp_path / "one", {"b.mid": tune(1)}), config)


def test_a_frame_is_a_sixteenth_and_the_metre_that_of_most_songs(tmp_path: Path) -> None:
    notes = tuple(Note(i * 0.25, i * 0.25 + 0.25, 60 + i) for i in range(6))  # 120 a minute
    metres = {"a": (6, 8), "b": (3, 4), "c": (6, 8)}
    for number, (name, metre) in enumerate(metres.items()):
        score = Score(notes[number:], time_signature=metre)
        (tmp_path / f"{name}.mid").write_bytes(midi.encode(score))
    stored, _ = store(tmp_path, dataclasses.replace(NO_SPLITS, frame_seconds=0.0))
    assert stored.codec == KeysCodec(2, None, 0.25, 120.0, (6, 8))
    assert stored.lengths.tolist() == [12, 12, 12]


def test_rolls_of_a_data_set_are_known_by_their_content(
    tmp_path: Path, write_mat: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    roll = np.zeros((3, 88), np.uint8)
    roll[:, 60] = 1
    file = write_mat(tmp_path / "renamed.mat", {"traindata": [roll]})
    plain, data = store(file, dataclasses.replace(NO_SPLITS, frame_seconds=0.0))
    assert plain.codec == KeysCodec(1, None, 0.25, 120.0)
    content = file.read_bytes()
    row = datasets.Dataset(
        "hymns", "music", "", "", "hymns.mat", "https://…", len(content),
        hashlib.sha256(content).hexdigest(), Grid(1.0, 72.0, (3, 4), -12),
    )  # fmt: skip
    monkeypatch.setitem(datasets.DATASETS, "hymns", row)
    known, lower = store(file, dataclasses.replace(NO_SPLITS, frame_seconds=0.0))
    assert known.codec == KeysCodec(1, None, 1.0, 72.0, (3, 4))
    frames = np.frombuffer(lower, np.uint8).reshape(3, 88)
    assert np.array_equal(np.roll(frames, 12, 1), np.frombuffer(data, np.uint8).reshape(3, 88))
    told, _ = store(file, dataclasses.replace(NO_SPLITS, frame_beats=0.5))
    assert told.codec.beats == 0.5
    roll[0, 5] = 1  # an octave lower it is not on the piano
    low = write_mat(tmp_path / "low.mat", {"traindata": [roll]}).read_bytes()
    sha = hashlib.sha256(low).hexdigest()
    monkeypatch.setitem(
        datasets.DATASETS, "hymns", dataclasses.replace(row, size=len(low), sha256=sha)
    )
    with pytest.raises(InputError, match="not on a piano once it is transposed by -12 semitones"):
        store(tmp_path / "low.mat")


def test_equal_songs_are_dropped_unless_the_source_sets_the_splits(
    tmp_path: Path, tune: Tune
) -> None:
    songs = {"a.mid": tune(1), "b.mid": tune(2), "c.mid": tune(1)}
    stored, data = store(write(tmp_path / "loose", songs))
    assert stored.names == ["a", "b"]
    assert stored.report["left_out"]["duplicates"]["count"] == 1
    assert len(data) == stored.lengths.sum() * 176
    given = {"train/a.mid": tune(1), "train/b.mid": tune(1), "test/c.mid": tune(1)}
    stored, _ = store(write(tmp_path / "given", given))
    assert stored.names == ["test/c", "train/a", "train/b"]
    assert stored.report["left_out"]["duplicates"]["count"] == 0
    assert len(set(stored.keys.tolist())) == 1
    assert stored.source_splits.tolist() == [TEST, TRAIN, TRAIN]


def test_the_keys_change_with_the_seed(tmp_path: Path, tune: Tune) -> None:
    source = write(tmp_path, {"a.mid": tune(1)})
    first, again = (store(source)[0].keys[0] for _ in range(2))
    assert first == again
    assert first != store(source, dataclasses.replace(NO_SPLITS, split_seed=1))[0].keys[0]


def test_bad_songs_are_counted_and_the_first_are_named(tmp_path: Path, tune: Tune) -> None:
    songs = {f"bad {i:02}.mid": b"bad" for i in range(30)} | {"good.mid": tune(1)}
    seen: list[tuple[int, int]] = []
    stored = music_corpus.store_songs(
        io.BytesIO(), write(tmp_path, songs), NO_SPLITS, lambda *args: seen.append(args)
    )
    assert stored.names == ["good"]
    assert stored.report["left_out"]["unreadable"]["count"] == 30
    assert [
        message.split(".mid")[0] for message in stored.report["left_out"]["unreadable"]["names"]
    ] == [f"bad {i:02}" for i in range(10)]
    assert seen == [(i, 31) for i in range(32)]


def test_no_readable_song_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, {"a.mid": b"bad"})
    with pytest.raises(InputError, match=r"^a\.mid is not a usable MIDI file"):
        store(tmp_path / "a.mid")
    write(tmp_path, {"b.mid": b"bad"})
    with pytest.raises(InputError, match=r"None of the 2 songs of .* the first: a\.mid is no"):
        store(tmp_path)
