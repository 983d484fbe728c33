import dataclasses
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.config import DataConfig
from engine.data import music_corpus
from engine.data.codecs import KeysCodec
from engine.data.music_files import ANY, TEST, TRAIN, VALID
from engine.errors import InputError

Tune = Callable[[int], bytes]
NOTHING = DataConfig(valid_fraction=0.0, test_fraction=0.0)


def laid(folder: Path, contents: dict[str, bytes]) -> Path:
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def filled(source: Path, config: DataConfig = NOTHING) -> tuple[music_corpus.Spool, bytes]:
    file = io.BytesIO()
    return music_corpus.fill(file, source, config, lambda *_: None), file.getvalue()


def test_the_frames_lie_one_after_the_other(tmp_path: Path, tune: Tune) -> None:
    spool, data = filled(laid(tmp_path, {f"{i}.mid": tune(i) for i in range(6)}))
    assert spool.names == [str(i) for i in range(6)]
    assert spool.lengths.tolist() == [20 + i for i in range(6)]
    frames = np.frombuffer(data, np.uint8).reshape(-1, 176)
    assert len(frames) == spool.lengths.sum()
    assert (frames[:, :88].sum(axis=1) == 1).all()  # the tunes have one voice …
    assert np.array_equal(frames[:, :88], frames[:, 88:])  # … of short notes
    assert len(set(spool.keys.tolist())) == 6
    assert spool.codec.to_json() == {
        "kind": "keys",
        "planes": 2,
        "frame": 0.3,
        "beats": None,
        "tempo": 100.5,  # the median
    }


def test_a_frame_may_be_a_part_of_a_beat(tmp_path: Path, tune: Tune) -> None:
    config = dataclasses.replace(NOTHING, frame_beats=0.25)
    spool, _ = filled(laid(tmp_path, {"a.mid": tune(2)}), config)
    assert (spool.codec.frame, spool.codec.beats) == (None, 0.25)
    assert spool.lengths.tolist() == [44]


def test_equal_songs_are_dropped_unless_the_splits_are_given(tmp_path: Path, tune: Tune) -> None:
    songs = {"a.mid": tune(1), "b.mid": tune(2), "c.mid": tune(1)}
    spool, data = filled(laid(tmp_path / "loose", songs))
    assert spool.names == ["a", "b"]
    assert spool.report["duplicates"] == 1
    assert len(data) == spool.lengths.sum() * 176
    given = {"train/a.mid": tune(1), "train/b.mid": tune(1), "test/c.mid": tune(1)}
    spool, _ = filled(laid(tmp_path / "given", given))
    assert spool.names == ["test/c", "train/a", "train/b"]
    assert spool.report["duplicates"] == 0
    assert len(set(spool.keys.tolist())) == 1
    assert spool.given.tolist() == [TEST, TRAIN, TRAIN]


def test_the_keys_change_with_the_seed(tmp_path: Path, tune: Tune) -> None:
    source = laid(tmp_path, {"a.mid": tune(1)})
    first, again = (filled(source)[0].keys[0] for _ in range(2))
    assert first == again
    assert first != filled(source, dataclasses.replace(NOTHING, split_seed=1))[0].keys[0]


def test_bad_songs_are_counted_and_the_first_are_named(tmp_path: Path, tune: Tune) -> None:
    songs = {f"bad {i:02}.mid": b"bad" for i in range(30)} | {"good.mid": tune(1)}
    seen: list[tuple[int, int]] = []
    spool = music_corpus.fill(
        io.BytesIO(), laid(tmp_path, songs), NOTHING, lambda *args: seen.append(args)
    )
    assert spool.names == ["good"]
    assert spool.report["bad"] == 30
    assert [said.split(".mid")[0] for said in spool.report["bad_songs"]] == [
        f"bad {i:02}" for i in range(20)
    ]
    assert seen == [(i, 31) for i in range(32)]


def test_nothing_left_is_said(tmp_path: Path) -> None:
    laid(tmp_path, {"a.mid": b"bad"})
    with pytest.raises(InputError, match=r"^a\.mid is not a usable MIDI file"):
        filled(tmp_path / "a.mid")
    laid(tmp_path, {"b.mid": b"bad"})
    with pytest.raises(InputError, match=r"None of the 2 songs of .* of the first: a\.mid is no"):
        filled(tmp_path)


def spooled(given: list[int], keys: list[int] | None = None) -> music_corpus.Spool:
    size = len(given)
    return music_corpus.Spool(
        names=[str(i) for i in range(size)],
        keys=np.array(keys or range(size), np.uint64),
        lengths=np.ones(size, np.int64),
        given=np.array(given, np.uint8),
        codec=KeysCodec(2, 0.3, None, 120.0),
        report={},
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([ANY] * 6, [TEST, VALID, TRAIN, TRAIN, TRAIN, TRAIN]),  # the lowest keys are the test
        ([VALID, TRAIN, TEST, TRAIN], [VALID, TRAIN, TEST, TRAIN]),
        ([TRAIN, TRAIN, TEST, TRAIN, TRAIN], [VALID, TRAIN, TEST, TRAIN, TRAIN]),
        ([VALID, TRAIN, TRAIN, TRAIN, TRAIN], [VALID, TEST, TRAIN, TRAIN, TRAIN]),
        ([ANY, VALID, TEST, TRAIN], [TRAIN, VALID, TEST, TRAIN]),
    ],
)
def test_given_splits_are_kept_and_missing_ones_made(given: list[int], expected: list[int]) -> None:
    config = DataConfig(valid_fraction=0.2, test_fraction=0.2)
    assert music_corpus.assign(spooled(given), config, "here").tolist() == expected


def test_equal_songs_never_part_where_splits_are_made() -> None:
    keys = [1, 2, 3, 4, 5, 1, 2, 3, 4, 5]
    splits = music_corpus.assign(
        spooled([ANY] * 10, keys), DataConfig(valid_fraction=0.2, test_fraction=0.2), "here"
    )
    assert splits[:5].tolist() == splits[5:].tolist() == [TEST, VALID, TRAIN, TRAIN, TRAIN]


def test_no_songs_to_train_on_is_said() -> None:
    with pytest.raises(InputError, match="here holds no songs to train on"):
        music_corpus.assign(spooled([TEST, VALID]), DataConfig(), "here")
    with pytest.raises(InputError, match="1 different song cannot be split"):
        music_corpus.assign(spooled([ANY]), DataConfig(), "here")
    assert music_corpus.assign(spooled([ANY]), NOTHING, "here").tolist() == [TRAIN]
