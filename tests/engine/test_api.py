"""The calls for Python: songs, pieces and runs in a few lines, with the checks of the options."""

import base64
import subprocess
import sys
import typing
import wave
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

import engine
from engine import api, generate, load, train
from engine.api import LyricsModel, MusicModel, Piece, Song
from engine.errors import InputError
from engine.inference import models
from engine.music import midi
from engine.runs.events import Event, Finished
from engine.sampling import lyrics, music
from engine.sampling.decoding import SamplingParams

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "python.md"
Write = Callable[..., Path]
TINY = {
    "model.hidden_size": 12,
    "model.embedding_size": 6,
    "train.batch_size": 4,
    "train.bptt": 16,
    "train.steps": 4,
    "train.sample_length": 20,
    "train.evaluate_every": 2,
    "train.threads": 1,
    "train.init_from": "none",
}


@pytest.fixture
def words(write: Write, tmp_path: Path) -> LyricsModel:
    return load(str(write(tmp_path / "words")), "lyrics")


@pytest.fixture
def tunes(write_music: Write, tmp_path: Path) -> MusicModel:
    return load(str(write_music(tmp_path / "tunes", planes=2)), "music")


def test_the_import_loads_nothing_heavy_and_train_is_always_the_function() -> None:
    code = """
import sys
from engine import train
import engine.train.launch                       # replaces engine.train by the package
from engine import train as again
print(callable(train), train is again, *sorted({"torch"} & set(sys.modules)))
from engine import generate, load
print(*sorted({"torch", "textual", "rich"} & set(sys.modules)))
try:
    from engine import compose
except ImportError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    first, second, third = done.stdout.split("\n")[:3]
    assert (first, second) == ("True True", "")
    assert "cannot import name 'compose'" in third
    assert engine.train is train


def test_the_literal_names_are_those_of_the_included_models() -> None:
    names = {"lyrics": typing.get_args(api.LyricsName), "music": typing.get_args(api.MusicName)}
    for kind, listed in names.items():
        found = [info for info in models.list_models() if info.meta and info.meta.kind == kind]
        assert {info.name for info in found} == set(listed)


def test_a_song_is_that_of_the_stream(words: LyricsModel) -> None:
    song = words.generate("a b", artist="zed", seed=4, length=30, temperature=0.5, raw=True)
    params = SamplingParams(temperature=0.5, raw="on")
    request = lyrics.LyricsRequest("a b", "Zed", params, seed=4, length=30)
    expected = list(lyrics.stream(words.model, request))
    text = "".join(character.text for character in expected)
    assert (str(song), song.prime, song.seed, song.reason) == (f"a b{text}", "a b", 4, "length")
    assert song.bits == pytest.approx(np.mean([character.bits for character in expected]))
    again = words.stream("a b", artist="Zed", seed=4, length=30, temperature=0.5, raw=True)
    assert "".join(again) == text


def test_several_songs_have_consecutive_seeds_and_the_best_is_one_of_them(
    words: LyricsModel,
) -> None:
    songs = words.generate(count=3, seed=7, length=20)
    assert [song.seed for song in songs] == [7, 8, 9]
    assert songs[1].text == words.generate(seed=8, length=20).text
    best = words.generate(best=3, seed=7, length=20)
    assert best == min(songs, key=lambda song: song.bits)


def test_a_song_is_saved_and_shown(tmp_path: Path) -> None:
    song = Song("a <b>\né", "a <", None, "m", 1, "end", 1.5)
    song.save(tmp_path / "song.txt")
    assert (tmp_path / "song.txt").read_text(encoding="utf-8") == "a <b>\né\n"
    assert "<b>a &lt;</b>b&gt;\né</pre>" in song._repr_html_()
    with pytest.raises(InputError, match="Cannot write"):
        song.save(tmp_path / "song.txt" / "x.txt")


def test_a_piece_has_a_roll_and_is_saved_in_each_format(tunes: MusicModel, tmp_path: Path) -> None:
    # Frames of 0.3 s at tempo 100, in 3/4.
    piece = tunes.generate(notes="C4,E4", bars=2, seed=3)
    assert piece.roll.shape == piece.onsets.shape == (1 + 12, 88)
    assert np.flatnonzero(piece.roll[0]).tolist() == [60 - 21, 64 - 21]
    assert piece.seconds == pytest.approx(13 * 0.3)
    for suffix in ("mid", "png"):
        piece.save(tmp_path / f"tune.{suffix}")
    assert len(midi.read(tmp_path / "tune.mid").notes) == len(piece.score.notes)
    assert (tmp_path / "tune.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InputError, match="none of the endings"):
        piece.save(tmp_path / "tune.ogg")


def test_a_piece_continues_another_one_and_streams(tunes: MusicModel) -> None:
    first = tunes.generate(length=6, seed=1)
    second = tunes.generate(first, length=5, seed=2)
    count = max(len(second.roll) - 5, 1)
    assert 1 <= count <= 6  # a score ends with its last note
    assert len(second.roll) == count + 5
    assert np.array_equal(second.roll[:count], first.roll[:count])
    frames = list(tunes.stream(first, length=5, seed=2))
    sounding = [tuple((np.flatnonzero(row) + 21).tolist()) for row in second.roll[count:]]
    assert [frame.keys for frame in frames] == sounding


def test_several_pieces_and_the_best_of_them(tunes: MusicModel) -> None:
    pieces = tunes.generate(count=3, seed=4, length=6)
    assert [piece.seed for piece in pieces] == [4, 5, 6]
    alone = [tunes.generate(seed=seed, length=6) for seed in (4, 5, 6)]
    assert [piece.score for piece in pieces] == [piece.score for piece in alone]
    best = tunes.generate(best=3, seed=4, length=6)
    assert best.score in [piece.score for piece in pieces]
    requests = [music.MusicRequest(seed=seed, length=6) for seed in (4, 5, 6)]
    streams = [music.stream(tunes.model, request) for request in requests]
    for stream in streams:
        list(stream)
    assert best.seed == max(streams, key=lambda stream: stream.likelihood).seed
    with pytest.raises(InputError, match="best and count exclude each other"):
        tunes.generate(best=2, count=2)  # type: ignore[call-overload]
    with pytest.raises(InputError, match="Count must be a whole number from 1 to 1,000, not 0"):
        tunes.generate(count=0)


@pytest.mark.slow
def test_a_piece_is_shown_as_a_picture_with_sound(tunes: MusicModel) -> None:
    piece = tunes.generate(length=4, seed=1, least=1)
    assert piece._repr_png_().startswith(b"\x89PNG")
    page = piece._repr_html_()
    assert "<img" in page
    sound = page.split("data:audio/wav;base64,")[1].split('"')[0]
    with wave.open(BytesIO(base64.b64decode(sound))) as file:
        assert (file.getnchannels(), file.getframerate()) == (1, 22_050)
        assert file.getnframes() / 22_050 > piece.seconds - 0.3
        assert np.any(np.frombuffer(file.readframes(-1), "<i2"))
    long = Piece(piece.score, tunes.generate(length=400, temperature=0).frames, "m", 1)
    assert "<audio" not in long._repr_html_()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"temprature": 1}, "There is no option 'temprature': did you mean 'temperature'?"),
        ({"temperature": -1}, "Temperature must be a number from 0 to inf, not -1."),
        ({"top_k": True}, "Top-k must be a whole number of 0 or more, not True."),
        ({"known_words": "maybe"}, "Known words must be 'on' or 'off', not 'maybe'."),
        ({"seed": -1}, "Seed must be a whole number of 0 or more, not -1."),
        ({"best": 2, "count": 2}, "best and count exclude each other: pass only one of them."),
        ({"artist": "Zad"}, "did you mean 'Zed'?"),
    ],
)
def test_lyrics_options_are_checked_as_everywhere(
    words: LyricsModel, options: dict[str, typing.Any], expected: str
) -> None:
    with pytest.raises(InputError) as error:
        words.generate(**options)
    assert expected in str(error.value)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"bars": 0}, "bars must be above 0 and below 1,000,000, not 0."),
        ({"bars": 2, "length": 9}, "length and bars exclude each other: pass only one of them."),
        ({"top_k": 3}, "There is no option 'top_k'"),
        ({"least": 11}, "Min notes must be"),
        ({"notes": "H4"}, "'H4' is not a note"),
        ({"prime": "none.mid"}, "none.mid"),
    ],
)
def test_music_options_are_checked_as_everywhere(
    tunes: MusicModel, options: dict[str, typing.Any], expected: str
) -> None:
    with pytest.raises(InputError) as error:
        tunes.stream(**options)
    assert expected in str(error.value)


def test_a_model_of_the_other_kind_is_refused(words: LyricsModel) -> None:
    with pytest.raises(InputError, match="writes lyrics: name a model for music"):
        load(words.name, "music")
    with pytest.raises(InputError, match="precision must be 'fast' or 'full'"):
        load(words.name, precision="half")


def test_generate_loads_a_model_and_writes(words: LyricsModel) -> None:
    song = generate(words.name, "a", length=5, seed=1)
    assert isinstance(song, Song)
    assert song == words.generate("a", length=5, seed=1)


@pytest.mark.slow
def test_train_trains_a_run_and_returns_its_model(write_trained: Write, tmp_path: Path) -> None:
    write_trained()  # writes songs.csv
    events: list[Event] = []
    settings = TINY | {"data.artists": ["Zed", "Ada Löwe"]}
    model = train(tmp_path / "songs.csv", run="mine", settings=settings, listener=events.append)
    assert isinstance(model, LyricsModel)
    assert (model.name, model.model.meta.step) == ("mine", 4)
    assert set(model.artists) == {"Zed", "Ada Löwe"}
    assert isinstance(events[-1], Finished)
    assert model.generate(seed=1, length=9, raw=True).artist is None
    with pytest.raises(InputError, match="There is no preset 'quik'"):
        train(tmp_path / "songs.csv", preset="quik")
    with pytest.raises(InputError, match="kind must be"):
        train(tmp_path / "songs.csv", kind="poems")  # type: ignore[arg-type]


@pytest.mark.slow
def test_the_examples_of_the_page_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, write_trained: Write
) -> None:
    write_trained()  # writes songs.csv
    monkeypatch.chdir(tmp_path)
    blocks = PAGE.read_text(encoding="utf-8").split("```python\n")[1:]
    names: dict[str, typing.Any] = {}
    for block in blocks:
        code = block.split("```")[0].replace('preset="quick"', f"settings={TINY!r}")
        exec(compile(code, str(PAGE), "exec"), names)
    assert midi.read(tmp_path / "tune.mid").notes
    assert names["tune"].roll.shape[1] == 88
