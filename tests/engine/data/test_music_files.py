"""Readers of music."""

import io
import os
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.config import DataConfig
from engine.data import corpus, music_files
from engine.data.splits import ANY, TEST, TRAIN, VALID
from engine.errors import InputError
from engine.music import midi, musicxml, piano_roll

Tune = Callable[[int], bytes]
WriteMat = Callable[..., Path]


def zipped(path: Path, contents: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


def read(source: Path) -> dict[str, tuple[int, music_files.MusicSong | str]]:
    """Return split and song of each entry by name, or the error message for the song."""
    found: dict[str, tuple[int, music_files.MusicSong | str]] = {}
    with music_files.open_songs(source) as entries:
        for entry in entries:
            try:
                song: music_files.MusicSong | str = music_files.load_song(entry, 0.3, 0.0)
            except InputError as error:
                song = str(error)
            found[entry.name] = entry.split, song
    return found


def splits(source: Path) -> dict[str, int]:
    return {name: split for name, (split, _) in read(source).items()}


PATHS = {
    "Tunes/train/a.mid": TRAIN,
    "Tunes/VALID/b.midi": VALID,
    "Tunes/test/reels/c.MID": TEST,
    "Tunes/test/train/d.mid": TRAIN,
    "Tunes/e.mid": ANY,
    "validation/f.mid": VALID,
    "trains/g.mid": ANY,
}
OTHERS = ["Tunes/read me.txt", "Tunes/train/._a.mid", "__MACOSX/a.mid", ".cache/a.mid"]


@pytest.mark.parametrize("packed", [True, False])
def test_songs_and_splits_of_a_folder_and_of_a_zip(
    tmp_path: Path, tune: Tune, packed: bool
) -> None:
    contents = {name: tune(number) for number, name in enumerate([*PATHS, *OTHERS])}
    source = tmp_path / "source"
    if packed:
        source = zipped(tmp_path / "source.zip", contents)
        assert music_files.list_files(source) == [source]
    else:
        for name, content in contents.items():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes(content)
        assert music_files.list_files(source) == sorted(source / name for name in PATHS)
    if packed:
        assert music_files.other_members(source) == OTHERS[:1]
        report = corpus.prepare_corpus(DataConfig(source=str(source)), kind="music").meta["report"]
        assert report["left_out"]["other files"] == {"count": 1, "names": OTHERS[:1]}
    found = read(source)
    assert list(found) == sorted(PATHS)
    assert {name: split for name, (split, _) in found.items()} == PATHS
    for name, (_, song) in found.items():
        assert isinstance(song, music_files.MusicSong)
        score = midi.read(contents[name])
        assert np.array_equal(song.frames, piano_roll.from_score(score).frames(2))
        assert song.tempo == pytest.approx(score.tempo)


def test_sheet_music_is_read_like_midi(tmp_path: Path, tune: Tune) -> None:
    score = midi.read(tune(1))
    sheet = musicxml.encode(score)
    musicxml.write(score, tmp_path / "c.mxl")
    contents = {"a.musicxml": sheet, "b.xml": sheet, "c.mxl": (tmp_path / "c.mxl").read_bytes()}
    found = read(zipped(tmp_path / "a.zip", {**contents, "bad.xml": b"<html/>", "d.mid": tune(1)}))
    _, expected = found.pop("d.mid")
    assert isinstance(expected, music_files.MusicSong)
    assert found.pop("bad.xml")[1].startswith("bad.xml is not a usable MusicXML file (it is XML")  # type: ignore[union-attr]
    assert list(found) == list(contents)
    for _, song in found.values():
        assert isinstance(song, music_files.MusicSong)
        assert np.array_equal(song.frames, expected.frames)


def test_one_file_is_one_song(tmp_path: Path, tune: Tune) -> None:
    path = tmp_path / "train" / "only.mid"
    path.parent.mkdir()
    path.write_bytes(tune(1))
    assert splits(path) == {"only.mid": ANY}


def test_frames_can_be_set_in_beats(tmp_path: Path, tune: Tune) -> None:
    path = tmp_path / "a.mid"
    path.write_bytes(tune(2))  # notes of half a beat at 100 beats a minute
    with music_files.open_songs(path) as entries:
        song = music_files.load_song(entries[0], 0.3, 0.25)
    assert len(song.frames) == 2 * (20 + 2)


def test_rolls_of_a_matlab_file_are_unchanged(tmp_path: Path, write_mat: WriteMat) -> None:
    generator = np.random.default_rng(0)
    lists = {
        name: [generator.integers(0, 2, (5 + i, 88)).astype(np.uint8) for i in range(3)]
        for name in ("validdata", "traindata", "testdata")
    }
    lists["testdata"] = [lists["testdata"][0].astype(np.float64)]
    found = read(write_mat(tmp_path / "a.mat", lists))
    assert [split for split, _ in found.values()] == [TRAIN] * 3 + [VALID] * 3 + [TEST]
    for name, (_, song) in found.items():
        assert isinstance(song, music_files.MusicSong)
        listed, number = name.split()
        assert np.array_equal(song.frames, lists[listed][int(number) - 1])
        assert song.frames.dtype == np.uint8
        assert song.tempo == 120.0


def test_notes_that_are_not_in_the_frames_are_counted(tmp_path: Path) -> None:
    body = bytes.fromhex("00 90 3c 40 04 3c 00 04 3c 40 04 3c 00 00 10 40 04 10 00 00 ff 2f 00")
    path = tmp_path / "a.mid"
    path.write_bytes(
        struct.pack(">4sLHHH", b"MThd", 6, 0, 1, 480)
        + struct.pack(">4sL", b"MTrk", len(body))
        + body
    )
    _, song = read(path)["a.mid"]
    assert isinstance(song, music_files.MusicSong)
    counts = {name: count for name, count in song.left_out.items() if count}
    assert counts == {"outside": 1, "repeated": 1}


def test_bad_songs_are_refused_by_name(tmp_path: Path, tune: Tune, write_mat: WriteMat) -> None:
    found = read(
        zipped(tmp_path / "a.zip", {"good.mid": tune(1), "bad.mid": b"MThd", "no.mid": b""})
    )
    assert isinstance(found["good.mid"][1], music_files.MusicSong)
    assert str(found["bad.mid"][1]).startswith("bad.mid is not a usable MIDI file")
    assert str(found["no.mid"][1]).startswith("no.mid is not a usable MIDI file")
    ones = np.ones((4, 88), np.uint8)
    matrices = [ones, ones[:0], ones[:, :87], ones * 2, ones[0]]
    found = read(write_mat(tmp_path / "a.mat", {"traindata": matrices}))
    results = [isinstance(song, music_files.MusicSong) or song for _, song in found.values()]
    assert results[0] is True
    assert results[1:] == [
        f"traindata {i} is not a piano roll of 88 keys, 0 or 1 each: leave it out."
        for i in (2, 3, 4, 5)
    ]


def test_a_damaged_entry_does_not_affect_others(tmp_path: Path, tune: Tune) -> None:
    path = zipped(tmp_path / "a.zip", {"a.mid": tune(1), "b.mid": tune(2)}, zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[data.index(b"MTrk")] ^= 1  # the checksum no longer fits
    path.write_bytes(data)
    found = read(path)
    assert str(found["a.mid"][1]).startswith("a.mid cannot be unpacked (Bad CRC-32")
    assert isinstance(found["b.mid"][1], music_files.MusicSong)


def test_midi_files_have_one_of_five_suffixes(tmp_path: Path, tune: Tune) -> None:
    names = ["a.kar", "b.RMI", "c.MID", "d.midi", "e.mid", "f.smf"]
    zipped(tmp_path / "a.zip", {"x.mid/": b"", **{name: tune(1) for name in names}, "readme": b""})
    (tmp_path / "songs").mkdir()
    for name in names:
        (tmp_path / "songs" / name).write_bytes(tune(1))
    for source in (tmp_path / "a.zip", tmp_path / "songs"):
        assert list(read(source)) == names
    assert len(read(tmp_path / "songs" / "a.kar")) == 1


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compression_methods_are_refused(tmp_path: Path, tune: Tune, method: int) -> None:
    found = read(zipped(tmp_path / "a.zip", {"a.mid": tune(1)}, method))
    assert "compressed by an unusual method" in str(found["a.mid"][1])


def test_a_password_is_an_error(tmp_path: Path, tune: Tune) -> None:
    path = zipped(tmp_path / "a.zip", {"a.mid": tune(1)}, zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[6] |= 1  # the local header's flag of encryption, and the directory's
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    assert "cannot be unpacked" in str(read(path)["a.mid"][1])


def test_paths_in_a_zip_are_never_written(
    tmp_path: Path, tune: Tune, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    monkeypatch.chdir(inside)
    tricks = [
        "../up.mid",
        "/tmp/root.mid",
        "C:\\drive.mid",
        "a\x1b[31m\nb.mid",
        "x/../../test/y.mid",
    ]
    path = zipped(inside / "a.zip", {name: tune(i) for i, name in enumerate(tricks)})
    found = read(path)
    assert len(found) == len(tricks)
    assert all(isinstance(song, music_files.MusicSong) for _, song in found.values())
    assert all(name.isprintable() for name in found)
    assert sorted(item.name for item in tmp_path.rglob("*")) == ["a.zip", "inside"]


def test_a_zip_bomb_is_limited(tmp_path: Path, tune: Tune, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zipped(tmp_path / "a.zip", {"big.mid": bytes(40 << 20), "good.mid": tune(1)})
    start = time.process_time()
    found = read(path)
    assert time.process_time() - start < 2
    assert "big.mid has over 2097152 bytes" in str(found["big.mid"][1])
    assert isinstance(found["good.mid"][1], music_files.MusicSong)
    monkeypatch.setattr(music_files, "MAX_UNPACKED", 30 << 20)
    with pytest.raises(InputError, match="unpacks to over 30 MiB"):
        read(path)
    monkeypatch.setattr(music_files, "MAX_ENTRIES", 1)
    with pytest.raises(InputError, match="over 1 files"):
        read(path)


def test_a_zip_is_unpacked_up_to_its_declared_size(tmp_path: Path) -> None:
    """The size in the directory of a bomb is forged: no more than that is ever unpacked."""
    path = zipped(tmp_path / "a.zip", {"big.mid": bytes(40 << 20)})
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.rindex(b"PK\x01\x02") + 24, 1000)
    path.write_bytes(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.infolist()[0].file_size == 1000
    assert "cannot be unpacked" in str(read(path)["big.mid"][1])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.zip", b"PK no zip", "is not a readable zip"),
        ("a.zip", b"", "is not a readable zip"),
        (
            "a.mat",
            b"no mat",
            "is not a MATLAB file of piano rolls, as it is not of MATLAB version 5",
        ),
        ("a.txt", b"la la", "is not music: choose a MIDI or MusicXML file"),
        ("Tune.mdi", None, "did you mean 'Tune.mid'"),
        ("elsewhere/a.mid", None, "give MIDI files"),
        ("empty", None, "has no MIDI or MusicXML files"),
    ],
)
def test_an_invalid_source_is_refused(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "Tune.mid").touch()
    source = tmp_path / name
    if content is not None:
        source.write_bytes(content)
    with (
        pytest.raises(InputError) as caught,
        music_files.open_songs(music_files.list_files(source)[0]),
    ):
        pass
    assert message in str(caught.value)
    assert str(source) in str(caught.value)


def test_a_mat_file_or_zip_of_other_content_is_refused(tmp_path: Path, write_mat: WriteMat) -> None:
    with pytest.raises(
        InputError, match=r"has no piano rolls: choose a .mat file with 'traindata', "
    ):
        read(write_mat(tmp_path / "a.mat", {"weights": [np.ones((2, 2))]}))
    with pytest.raises(InputError, match="has no MIDI or MusicXML files"):
        read(zipped(tmp_path / "a.zip", {"a.txt": b"la"}))


def test_only_regular_files_are_listed(tmp_path: Path, tune: Tune) -> None:
    (tmp_path / "a.mid").write_bytes(tune(1))
    os.mkfifo(tmp_path / "b.mid")  # reading it would block
    (tmp_path / "c.mid").mkdir()
    assert music_files.list_files(tmp_path) == [tmp_path / "a.mid"]


def test_an_unreadable_file_is_an_error(tmp_path: Path, tune: Tune) -> None:
    (tmp_path / "a.mid").write_bytes(tune(1))
    with music_files.open_songs(tmp_path) as entries:
        (tmp_path / "a.mid").unlink()
        with pytest.raises(InputError, match=r"Cannot read .*a\.mid"):
            music_files.load_song(entries[0], 0.3, 0.0)


@pytest.mark.slow
def test_the_published_data_sets(music_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, sizes in {
        "nottingham/Nottingham.zip": (694, 173, 170),
        "polymusic/Nottingham.mat": (694, 173, 170),
        "polymusic/JSB_Chorales.mat": (229, 76, 77),
    }.items():
        start = time.perf_counter()
        found = list(read(music_data / name).values())
        seconds = time.perf_counter() - start
        songs = [(split, song) for split, song in found if isinstance(song, music_files.MusicSong)]
        assert len(songs) == len(found)
        assert tuple(sum(split == index for split, _ in songs) for index in range(3)) == sizes
        frames = sum(len(song.frames) for _, song in songs)
        with capsys.disabled():
            print(
                f"\n{name}: {len(songs)} songs, {frames} frames, {len(songs) / seconds:.0f} songs/s"
            )


def test_a_json_file_of_pitches(tmp_path: Path) -> None:
    source = tmp_path / "chorales.json"
    source.write_text('{"train": [[[60, 64.0], [], [108, 21]], [[20]]], "test": [[[60], [60]]]}')
    assert music_files.list_files(source) == [source]
    found = read(source)
    assert {name: split for name, (split, _) in found.items()} == {
        "train 1": TRAIN,
        "train 2": TRAIN,
        "test 1": TEST,
    }
    song = found["train 1"][1]
    assert isinstance(song, music_files.MusicSong)
    assert [np.flatnonzero(frame).tolist() for frame in song.frames] == [[39, 43], [], [0, 87]]
    assert "train 2 is not a piano roll of 88 keys" in str(found["train 2"][1])


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "{}", '{"train": []}', '{"train": 5}', '{"train": [5]}', "[" * 100_000, "{"),
        *('{"train": [["a"]]}', '{"train": [[[60], 5]]}', '{"train": [[[1e999]]]}'),
        *('{"train": [[[60.5]]]}', '{"train": [[[NaN]]]}', '{"train": [[[[60]]]]}'),
    ],
)
def test_an_invalid_json_file_is_refused(tmp_path: Path, text: str) -> None:
    source = tmp_path / "x.json"
    source.write_text(text)
    try:
        messages = {str(song) for _, song in read(source).values()}
    except InputError as error:
        messages = {str(error)}
    (message,) = messages
    assert (
        "x.json is not a JSON file of piano rolls" in message or "is not a piano roll of" in message
    )
