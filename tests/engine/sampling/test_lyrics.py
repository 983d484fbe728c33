"""Sampling lyrics: seeds, prompts, artists, lengths, and what ends a song.

Most tests are of the option `raw`, which makes the text follow from the model alone; for what is
written line by line see `test_line_writer.py`. Parametrized with `RAW`, a test is of both.
"""

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine.data.codecs import END, CharacterCodec
from engine.errors import InputError
from engine.inference import models
from engine.inference.matmul import PRECISIONS
from engine.inference.models import Model, ModelMeta
from engine.inference.network import NgramStepper
from engine.sampling import lyrics
from engine.sampling.decoding import SamplingParams
from engine.sampling.lyrics import LyricsRequest, LyricsStream, change_params, stream, write_best

Build = Callable[..., Model]
Make = Callable[..., tuple[ModelMeta, dict[str, Any]]]


def texts(stream: LyricsStream) -> list[str]:
    """Return the texts of the songs of a stream."""
    written = [""] * len(stream.songs)
    for character in stream:
        written[character.song] += character.text
    return written


def text(model: Model, **request: Any) -> str:
    (written,) = texts(stream(model, LyricsRequest(**request)))
    return written


def ended(stream: LyricsStream) -> tuple[str | None, int]:
    """Return why the only song has ended, and after how many characters."""
    (song,) = stream.songs
    return song.reason, song.characters


def biased(make: Make, end: float) -> Model:
    """Return a network with this bias of the end mark."""
    meta, tensors = make()
    tensors["head.bias"][END] = end
    return models.from_tensors(meta, tensors)


RAW = pytest.mark.parametrize("raw", ["on", "off"])
KINDS: list[dict[str, Any]] = [
    {"hidden_size": 40},
    {"cell": "gru", "match_memory": True},
    {"kind": "markov"},
]


@RAW
@pytest.mark.parametrize("settings", [{}, {"kind": "markov"}], ids=str)
def test_the_same_seed_writes_the_same_text(
    build: Build, settings: dict[str, str], raw: str
) -> None:
    model = build(**settings)
    request: dict[str, Any] = {"prime": "a b", "length": 60, "params": SamplingParams(raw=raw)}
    first = text(model, **request, seed=5)
    assert text(model, **request, seed=5) == first
    assert text(model, **request, seed=6) != first


@RAW
def test_a_new_seed_is_reported_and_writes_the_same_again(build: Build, raw: str) -> None:
    model, params = build(), SamplingParams(raw=raw)
    song = stream(model, LyricsRequest(params=params, length=40))
    (written,) = texts(song)
    assert text(model, params=params, seed=song.songs[0].seed, length=40) == written
    assert stream(model, LyricsRequest(length=40)).songs[0].seed != song.songs[0].seed


def test_a_song_equals_stepping_by_hand(build: Build) -> None:
    model = build()
    assert isinstance(model.codec, CharacterCodec)
    frames = [0, *model.codec.encode("be")]
    state = model.stepper.initial_state(np.array([0, 0, 1, 0], np.float32), 1)
    written = ""
    for _ in range(20):
        for frame in frames:
            logits = model.stepper.step(state, np.array([frame]))[0].astype(float)
        logits[[0, 1, 2]] = -np.inf
        frames = [int(logits.argmax())]
        written += model.codec.decode(frames)
    params = SamplingParams(0.0, raw="on")
    got = text(model, prime="be", artist="the PLAIN  notes", params=params, length=20)
    assert got == written


def test_an_empty_prompt_starts_from_the_begin_mark(build: Build) -> None:
    model = build(kind="markov", order=4)
    params = SamplingParams(raw="on")
    starts = {text(model, params=params, seed=seed, length=1) for seed in range(200)}
    assert {"a", "d", "h"} <= starts  # the first characters of its training songs
    params = SamplingParams(0.0, raw="on")
    assert text(model, prime="dead bee,", params=params, length=5) == "\nfed "


def test_a_prompt_is_composed_and_its_line_ends_are_one_character(build: Build) -> None:
    song = stream(build(), LyricsRequest(prime="e\u0301\r\na\rb", length=3))
    assert song.prime == "é\na\nb"
    assert len(texts(song)[0]) == 3


def test_the_song_ends_at_its_end_mark(make: Make) -> None:
    song = stream(biased(make, 50.0), LyricsRequest(seed=1, params=SamplingParams(raw="on")))
    assert texts(song)[0] == ""
    assert ended(song) == ("end", 0)


def test_an_ngram_model_ends_its_songs_too(build: Build) -> None:
    params = SamplingParams(0.0, raw="on")
    song = stream(build(kind="markov", order=8), LyricsRequest(prime="dead bee,", params=params))
    assert texts(song)[0] == "\nfed a fig."
    assert song.songs[0].reason == "end"


@RAW
def test_a_length_suppresses_the_end_mark(make: Make, raw: str) -> None:
    params = SamplingParams(raw=raw)
    song = stream(biased(make, 50.0), LyricsRequest(seed=1, params=params, length=200))
    assert len(texts(song)[0]) == 200
    assert ended(song) == ("length", 200)


@RAW
def test_a_song_without_an_end_is_cut(
    make: Make, monkeypatch: pytest.MonkeyPatch, raw: str
) -> None:
    monkeypatch.setattr(lyrics, "MAX_CHARACTERS", 70)
    song = stream(biased(make, -1e9), LyricsRequest(seed=1, params=SamplingParams(raw=raw)))
    assert len(texts(song)[0]) == 70
    assert song.songs[0].reason == "length"


@RAW
def test_marks_are_never_written(build: Build, raw: str) -> None:
    model = build(kind="uniform")
    assert isinstance(model.codec, CharacterCodec)
    params = SamplingParams(math.inf, candidates=1, raw=raw)
    written = text(model, seed=0, length=3000, params=params)
    assert set(written) == set(model.codec.characters)


@RAW
def test_characters_come_one_at_a_time_and_a_stop_acts_between_two(build: Build, raw: str) -> None:
    stopped = False
    request = LyricsRequest(seed=1, params=SamplingParams(raw=raw), length=100)
    song = stream(build(), request, lambda: stopped)
    characters = iter(song)
    assert len([*itertools.islice(characters, 7)]) == 7
    stopped = True
    assert list(characters) == []
    assert ended(song) == ("stopped", 7)


@RAW
def test_a_stop_acts_within_the_prompt(build: Build, raw: str) -> None:
    params = SamplingParams(raw=raw)
    song = stream(build(), LyricsRequest(prime="a" * 50_000, params=params), lambda: True)
    assert list(song) == []
    assert song.songs[0].reason == "stopped"


def test_parameters_can_change_while_it_writes(build: Build) -> None:
    model, params = build(kind="markov"), SamplingParams(math.inf, raw="on")
    song = stream(model, LyricsRequest(prime="d", params=params, seed=1, length=30))
    characters = iter(song)
    wild = "".join(character.text for character in itertools.islice(characters, 10))
    change_params(song, {"temperature": 0.0})
    rest = "".join(character.text for character in characters)
    params = SamplingParams(0.0, raw="on")
    assert rest == text(model, prime="d" + wild, params=params, length=20)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"prime": "a Big \ud800 b€"}, r"'B', '\\ud800', '€'"),
        ({"prime": "".join(map(chr, range(0x4E00, 0x4E20)))}, "and 22 more"),
        ({"prime": "a" * 100_001}, "The prompt has 100,001 characters: the limit is 100,000"),
        ({"artist": "Ada Lowe"}, "no artist 'Ada Lowe': did you mean 'Ada Löwe'"),
        ({"artist": "Qqq"}, "it has 3, for example 'Ada Löwe'"),
        ({"artist": ""}, "no artist ''"),
        ({"seed": -1}, "Seed must be a whole number of 0 or more, not -1"),
        ({"length": 0}, "Length must be a whole number of 1 or more, not 0"),
        ({"count": 0}, "Count must be a whole number from 1 to 1,000, not 0"),
        ({"count": 1001}, "Count must be a whole number from 1 to 1,000, not 1001"),
        ({"alternatives": -1}, "Alternatives must be a whole number from 0 to 100, not -1"),
        ({"mix": {}}, "names no artist"),
        ({"mix": {"Zed": 0.7, "Ada Löwe": 0.2}}, "weights sum to 0.9: make them sum to 1"),
        ({"mix": {"Zed": 0.7, "Zad": 0.3}}, "no artist 'Zad': did you mean 'Zed'"),
        (
            {"mix": {"Zed": 1.5, "Ada Löwe": -0.5}},
            "weight of 'Zed' in the mix must be a number from 0 to 1, not 1.5",
        ),
        ({"mix": {"Zed": math.nan}}, "in the mix must be a number from 0 to 1, not nan"),
        ({"mix": {"Zed": 0.5, "ZED": 0.5}}, "names 'ZED' twice"),
        ({"mix": {"Zed": 1.0}, "artist": "Zed"}, "name only one of them"),
        ({"params": SamplingParams(guidance=2.0)}, "Guidance needs an artist: name one, or a mix"),
    ],
)
def test_an_invalid_request_is_refused_in_a_sentence(
    build: Build, request_: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        stream(build(), LyricsRequest(**request_))


@pytest.mark.parametrize("settings", [{"condition_size": 0}, {"kind": "markov"}], ids=str)
def test_artists_are_refused_by_a_model_without_them(
    build: Build, settings: dict[str, Any]
) -> None:
    with pytest.raises(InputError, match="has no artist styles"):
        stream(build(**settings), LyricsRequest(artist="Zed"))
    with pytest.raises(InputError, match="has no artist styles"):
        stream(build(**settings), LyricsRequest(mix={"Zed": 1.0}))
    with pytest.raises(InputError, match="no artist styles to guide: leave guidance at 1"):
        stream(build(**settings), LyricsRequest(params=SamplingParams(guidance=0.0)))


def test_an_artist_matters(build: Build) -> None:
    model = build()
    songs = [text(model, artist=name, seed=3, length=50) for name in (None, "zed", "ADA LÖWE")]
    assert len(set(songs)) == 3


def test_the_memory_option_weighs_the_match_memory(make: Make) -> None:
    """A network that only repeats does so forever, unless the match memory weighs less."""
    meta, tensors = make(match_memory=True, hidden_size=4)
    for name, tensor in tensors.items():
        tensor[...] = 0.0 if name != "head.gain" else 20.0
    model = models.from_tensors(meta, tensors)
    prime = "a bad cab, a bad ca"

    def written(memory: float) -> str:
        params = SamplingParams(memory=memory, raw="on")
        return text(model, prime=prime, length=30, seed=1, params=params)

    assert written(1.0) == "b, a bad cab, a bad cab, a bad"
    assert written(0.1)[:11] == "b, a bad ca"
    assert written(0.0)[:11] != "b, a bad ca"
    assert written(0.0) == text(
        model, length=30, seed=1, prime="d", params=SamplingParams(memory=0.0, raw="on")
    )


@pytest.mark.slow
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("settings", KINDS, ids=str)
def test_songs_written_together_equal_those_written_alone(
    make: Make, settings: dict[str, Any], precision: str
) -> None:
    model = models.from_tensors(*make(**settings), precision=precision)
    request: dict[str, Any] = {"prime": "a bad cab, ", "params": SamplingParams(0.9, raw="on")}
    if model.conditions:
        request["artist"] = "Zed"
    together = stream(model, LyricsRequest(**request, seed=7, count=12))
    written = texts(together)
    assert [song.seed for song in together.songs] == [*range(7, 19)]
    assert len({song.characters for song in together.songs}) > 1  # they end at different times
    for song, one in zip(together.songs, written, strict=True):
        alone = stream(model, LyricsRequest(**request, seed=song.seed))
        assert texts(alone) == [one]
        assert alone.songs[0].bits == song.bits
        assert song.reason == "end"


def test_a_hundred_songs_in_fast_precision_too(build: Build) -> None:
    model, params = build(hidden_size=64), SamplingParams(raw="on")
    written = texts(stream(model, LyricsRequest(seed=0, params=params, count=100, length=20)))
    assert written[99] == text(model, seed=99, params=params, length=20)


def test_a_mix_of_one_is_that_artist(build: Build) -> None:
    model = build()
    alone = text(model, artist="Zed", seed=3, length=50)
    assert text(model, mix={"zed": 1.0}, seed=3, length=50) == alone
    assert text(model, mix={"zed": 1.0, "Ada Löwe": 0.0}, seed=3, length=50) == alone
    songs = {
        text(model, mix={"zed": weight, "Ada Löwe": 1 - weight}, seed=3, length=200)
        for weight in (0.0, 0.5, 1.0)
    }
    assert len(songs) == 3


@pytest.mark.parametrize("settings", KINDS[:2], ids=str)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_guidance_zero_is_no_artist_and_one_the_artist(
    make: Make, settings: dict[str, Any], precision: str
) -> None:
    model = models.from_tensors(*make(**settings), precision=precision)

    def written(artist: str | None, guidance: float, count: int = 1) -> list[str]:
        params = SamplingParams(guidance=guidance, raw="on")
        request = LyricsRequest("bad", artist, params, seed=3, length=50, count=count)
        return texts(stream(model, request))

    assert written("Zed", 0.0) == written(None, 1.0)
    close = written("Zed", 1.0 + 1e-9)  # steps both, unlike 1.0
    assert close == written("Zed", 1.0)
    assert written("Zed", 3.0) not in (written("Zed", 1.0), written(None, 1.0))
    assert written("Zed", 3.0, count=3)[0] == written("Zed", 3.0)[0]


@pytest.mark.parametrize("settings", KINDS[:2], ids=str)
def test_guidance_can_change_while_it_writes(build: Build, settings: dict[str, Any]) -> None:
    """Songs continue as if they had been begun with the new guidance."""
    model, params = build(**settings), SamplingParams(1.0, raw="on")
    song = stream(model, LyricsRequest("be", "Zed", params, seed=1, length=60, count=3))
    characters = iter(song)
    written = ["be"] * 3
    for turn, guidance in enumerate([4.0, 1.0]):
        for character in itertools.islice(characters, 30):
            written[character.song] += character.text
        change_params(song, {"guidance": guidance, "temperature": 0.0})
        params = SamplingParams(0.0, guidance=guidance, raw="on")
        requests = [LyricsRequest(one, "Zed", params, length=10) for one in written]
        expected = [text(model, **vars(one)) for one in requests]
        for character in itertools.islice(characters, 30):
            written[character.song] += character.text
        assert [one[-10:] for one in written] == expected, turn


def test_invalid_parameters_are_refused_and_the_song_continues(build: Build) -> None:
    song = stream(build(), LyricsRequest(seed=1, length=20))
    characters = iter(song)
    next(characters)
    for values in ({"temperature": -1.0}, {"temperature": math.nan}, {"guidance": 2.0}):
        with pytest.raises(InputError):
            change_params(song, values)
    assert len([*characters]) == 19
    with pytest.raises(InputError, match="No song is being written"):
        change_params(None, {"temperature": 1.0})


def test_surprise_follows_the_models_own_probabilities(build: Build) -> None:
    model = build(kind="markov", order=3)
    assert isinstance(model.codec, CharacterCodec)
    assert isinstance(model.stepper, NgramStepper)
    params = SamplingParams(3.0, top_k=9, raw="on")
    song = stream(model, LyricsRequest(seed=2, params=params, alternatives=4))
    characters = [*song]
    frames = model.codec.encode("".join(character.text for character in characters))
    bits = model.stepper.model.nats(np.append(frames, END)) / np.log(2)
    np.testing.assert_allclose([character.bits for character in characters], bits[:-1])
    assert song.songs[0].bits == pytest.approx(bits.sum())
    assert song.songs[0].likelihood == pytest.approx(-bits.mean())


@RAW
def test_alternatives_are_the_most_probable_characters(build: Build, raw: str) -> None:
    model, params = build(), SamplingParams(raw=raw)
    request = LyricsRequest(params=params, seed=2, length=30, alternatives=5)
    for character in stream(model, request):
        assert len(character.alternatives) == 5
        chances = [p for _, p in character.alternatives]
        assert chances == sorted(chances, reverse=True)
        assert len({alternative for alternative, _ in character.alternatives}) == 5
        for alternative, p in character.alternatives:
            if alternative == character.text:
                assert character.bits == pytest.approx(-np.log2(p))
    request = LyricsRequest("dead bee,\nfed a fig", params=params, length=2)
    rest = stream(build(kind="markov", order=8), request)
    rest.alternatives = 3
    ((first, p), *_), ((end, _), *_) = (character.alternatives for character in rest)
    assert (first, end) == (".", "")
    assert p > 0.5


@RAW
def test_the_most_probable_of_many_songs_is_kept(build: Build, raw: str) -> None:
    model, params = build(hidden_size=30), SamplingParams(raw=raw)
    request: dict[str, Any] = {"params": params, "seed": 4, "count": 9, "length": 25}
    (song,), characters = write_best(stream(model, LyricsRequest(**request)))
    all_songs = stream(model, LyricsRequest(**request))
    written = texts(all_songs)
    assert song.likelihood == max(one.likelihood for one in all_songs.songs)
    assert "".join(character.text for character in characters) == written[song.number]
    assert text(model, params=params, seed=song.seed, length=25) == written[song.number]


def test_the_repetition_penalty_ends_a_loop(make: Make) -> None:
    """The match memory of this network repeats the text, until the penalty outweighs it."""
    meta, tensors = make(match_memory=True, hidden_size=4)
    for name, tensor in tensors.items():
        tensor[...] = 0.0 if name != "head.gain" else 6.0
    model = models.from_tensors(meta, tensors)
    prime = "a bad cab, a bad cab, a ba"

    def written(penalty: float) -> str:
        params = SamplingParams(0.9, repetition=penalty, raw="on")
        return text(model, prime=prime, length=60, seed=1, params=params)

    assert written(0.0).startswith("d cab, a bad cab, a bad")
    assert not written(2.0).startswith("d cab, a bad cab, a bad")
