"""Writing songs: seeds, primes, artists, lengths, and what ends a song."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine.data.characters import END, CharacterCodec
from engine.errors import InputError
from engine.sample import models, sampler
from engine.sample.decoding import Rules
from engine.sample.models import Model
from engine.sample.sampler import Request, stream

Build = Callable[..., Model]
Make = Callable[..., tuple[dict[str, Any], dict[str, Any]]]


def text(model: Model, **request: Any) -> str:
    return "".join(stream(model, Request(**request)))


def biased(make: Make, end: float) -> Model:
    """A network whose end mark has a logit of its own."""
    meta, tensors = make()
    tensors["head.bias"][END] = end
    return models.from_tensors(meta, tensors)


@pytest.mark.parametrize("settings", [{}, {"kind": "markov"}], ids=str)
def test_the_same_seed_writes_the_same_text(build: Build, settings: dict[str, str]) -> None:
    model = build(**settings)
    first = text(model, prime="a b", seed=5, length=60)
    assert text(model, prime="a b", seed=5, length=60) == first
    assert text(model, prime="a b", seed=6, length=60) != first


def test_a_fresh_seed_is_told_and_writes_the_same_again(build: Build) -> None:
    model = build()
    song = stream(model, Request(length=40))
    written = "".join(song)
    assert text(model, seed=song.seed, length=40) == written
    assert stream(model, Request(length=40)).seed != song.seed


def test_a_song_equals_stepping_by_hand(build: Build) -> None:
    model = build()
    assert isinstance(model.codec, CharacterCodec)
    frames = [0, *model.codec.encode("be")]
    state = model.stepper.begin(np.array([0, 0, 1, 0], np.float32), 1)
    written = ""
    for _ in range(20):
        for frame in frames:
            logits = model.stepper.step(state, np.array([frame]))[0].astype(float)
        logits[[0, 1, 2]] = -np.inf
        frames = [int(logits.argmax())]
        written += model.codec.decode(frames)
    got = text(model, prime="be", artist="the PLAIN  notes", rules=Rules(0.0), length=20)
    assert got == written


def test_an_empty_prime_starts_from_the_begin_mark(build: Build) -> None:
    model = build(kind="markov", order=4)
    starts = {text(model, seed=seed, length=1) for seed in range(200)}
    assert {"a", "d", "h"} <= starts  # how the songs it counted begin
    assert text(model, prime="dead bee,", rules=Rules(0.0), length=5) == "\nfed "


def test_a_prime_is_composed_and_its_line_ends_are_one_character(build: Build) -> None:
    song = stream(build(), Request(prime="e\u0301\r\na\rb", length=3))
    assert song.prime == "é\na\nb"
    assert len("".join(song)) == 3


def test_the_song_ends_at_its_end_mark(make: Make) -> None:
    song = stream(biased(make, 50.0), Request(seed=1))
    assert "".join(song) == ""
    assert (song.reason, song.characters) == ("end", 0)


def test_a_counting_model_ends_its_songs_too(build: Build) -> None:
    song = stream(build(kind="markov", order=8), Request(prime="dead bee,", rules=Rules(0.0)))
    assert "".join(song) == "\nfed a fig."
    assert song.reason == "end"


def test_a_length_holds_the_end_mark_back(make: Make) -> None:
    song = stream(biased(make, 50.0), Request(seed=1, length=200))
    assert len("".join(song)) == 200
    assert (song.reason, song.characters) == ("length", 200)


def test_a_song_without_an_end_is_cut(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampler, "LONGEST", 70)
    song = stream(biased(make, -1e9), Request(seed=1))
    assert len("".join(song)) == 70
    assert song.reason == "length"


def test_marks_are_never_written(build: Build) -> None:
    model = build(kind="uniform")
    assert isinstance(model.codec, CharacterCodec)
    written = text(model, seed=0, length=3000, rules=Rules(float("inf")))
    assert set(written) == set(model.codec.characters)


def test_characters_come_one_at_a_time_and_a_stop_acts_between_two(build: Build) -> None:
    stopped = False
    song = stream(build(), Request(seed=1, length=100), lambda: stopped)
    characters = iter(song)
    assert len("".join(itertools.islice(characters, 7))) == 7
    stopped = True
    assert list(characters) == []
    assert (song.reason, song.characters) == ("stopped", 7)


def test_a_stop_acts_within_the_prime(build: Build) -> None:
    song = stream(build(), Request(prime="a" * 50_000), lambda: True)
    assert list(song) == []
    assert song.reason == "stopped"


def test_rules_can_change_while_it_writes(build: Build) -> None:
    model = build(kind="markov")
    song = stream(model, Request(prime="d", rules=Rules(float("inf")), seed=1, length=30))
    characters = iter(song)
    wild = "".join(itertools.islice(characters, 10))
    song.rules = Rules(0.0)
    assert "".join(characters) == text(model, prime="d" + wild, rules=Rules(0.0), length=20)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"prime": "a Big \ud800 b€"}, r"'B', '\\ud800', '€'"),
        ({"prime": "".join(map(chr, range(0x4E00, 0x4E20)))}, "and 22 more"),
        ({"prime": "a" * 100_001}, "100,001 characters: give at most 100,000"),
        ({"artist": "Ada Lowe"}, "no artist 'Ada Lowe': did you mean 'Ada Löwe'"),
        ({"artist": "Qqq"}, "it knows 3, as 'Ada Löwe'"),
        ({"artist": ""}, "no artist ''"),
        ({"seed": -1}, "seed is -1"),
        ({"length": 0}, "length is 0"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    build: Build, request_: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        stream(build(), Request(**request_))


@pytest.mark.parametrize("settings", [{"condition": 0}, {"kind": "markov"}], ids=str)
def test_a_model_without_artists_says_so(build: Build, settings: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="knows no artists"):
        stream(build(**settings), Request(artist="Zed"))


def test_an_artist_matters(build: Build) -> None:
    model = build()
    songs = [text(model, artist=name, seed=3, length=50) for name in (None, "zed", "ADA LÖWE")]
    assert len(set(songs)) == 3


def test_a_song_is_as_true_to_itself_as_the_rules_say(make: Make) -> None:
    """A network that only ever repeats goes round and round, until its memory is doubted."""
    meta, tensors = make(memory=True, hidden=4)
    for name, tensor in tensors.items():
        tensor[...] = 0.0 if name != "head.gain" else 20.0
    model = models.from_tensors(meta, tensors)
    prime = "a bad cab, a bad ca"

    def written(memory: float) -> str:
        return text(model, prime=prime, length=30, seed=1, rules=Rules(memory=memory))

    assert written(1.0) == "b, a bad cab, a bad cab, a bad"
    assert written(0.1)[:11] == "b, a bad ca"
    assert written(0.0)[:11] != "b, a bad ca"
    assert written(0.0) == text(model, length=30, seed=1, prime="d", rules=Rules(memory=0.0))
