"""Requests and answers as lines: recorded ones, invented ones, and invalid lines."""

import builtins
import contextlib
import dataclasses
import json
import math
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import protocol
from engine.errors import InputError
from engine.options import (
    LYRICS_OPTIONS,
    MAX_LETTERS,
    MUSIC_OPTIONS,
    AnyOption,
    Option,
    TextOption,
)
from engine.protocol import (
    BeatRow,
    Character,
    Failed,
    FrameLength,
    Loaded,
    LoadModel,
    Loop,
    LyricsDone,
    MessageError,
    Messages,
    MusicDone,
    MusicFrame,
    NoteRow,
    ReadUnits,
    SampleLadder,
    SampleLyrics,
    SampleMusic,
    SetTempo,
    TimedKey,
)
from engine.schema import OptionTable, Range, schema_of

HERE = Path(__file__).parent
ALL: dict[str, Messages[Any]] = {
    "sampler requests": protocol.SAMPLER_REQUESTS,
    "sampler answers": protocol.SAMPLER_ANSWERS,
    "player requests": protocol.PLAYER_REQUESTS,
    "player answers": protocol.PLAYER_ANSWERS,
}


def classes(messages: Messages[Any]) -> list[type]:
    return [*messages.by_name.values(), *messages.by_key.values()]


def decode(line: str, messages: Messages[Any]) -> Any:
    return protocol.decode(line.encode(), messages)


# ── recorded sessions: a line is a request after "> ", or an answer ──────────────────────────────


@pytest.mark.parametrize(
    ("file", "requests", "answers"),
    [
        ("sampler_session.txt", protocol.SAMPLER_REQUESTS, protocol.SAMPLER_ANSWERS),
        ("player_session.txt", protocol.PLAYER_REQUESTS, protocol.PLAYER_ANSWERS),
    ],
)
def test_recorded_lines_are_read_and_written_as_they_were(
    file: str, requests: Messages[Any], answers: Messages[Any]
) -> None:
    kinds = set()
    for line in (HERE / file).read_text().splitlines():
        if line.startswith("> "):
            request = decode(line.removeprefix("> "), requests)
            assert decode(protocol.encode(request), requests) == request
            kinds.add(type(request))
        else:
            answer = decode(line, answers)
            assert protocol.encode(answer) == line
            kinds.add(type(answer))
    assert kinds >= {*classes(answers)}
    assert kinds >= {*classes(requests)} - {protocol.Quit}


# ── invented messages ────────────────────────────────────────────────────────────────────────────

PLAIN = {
    str: st.text(st.characters()),  # with lone surrogates
    bool: st.booleans(),
    int: st.integers(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    type(None): st.none(),
}
TIMED_KEYS = st.builds(
    TimedKey, st.floats(allow_nan=False, allow_infinity=False), *[st.integers(0, 127)] * 2
)
NOTES = st.builds(
    lambda start, length, *rest: NoteRow(start, start + length, *rest),
    st.floats(0, 1e6),
    st.floats(0.01, 1e3),
    st.integers(0, 127),
    st.integers(1, 127),
)


def of_option(option: AnyOption) -> st.SearchStrategy[Any]:
    if isinstance(option, TextOption):
        letters = st.text(option.letters, min_size=1, max_size=MAX_LETTERS)
        return st.sampled_from(option.choices) | (letters if option.letters else st.nothing())
    if option.type is int:
        return st.integers(int(option.low), int(min(option.high, 1e9)))
    return st.floats(option.low, option.high, exclude_min=option.excludes_low, allow_nan=False)


def of_hint(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a type hint of the protocol."""
    arguments = typing.get_args(hint)
    match typing.get_origin(hint):
        case None if hint is TimedKey:
            return TIMED_KEYS
        case None if hint is BeatRow:
            return st.builds(BeatRow, st.just(0.0), st.floats(0.01, 100))
        case None if hint is NoteRow:
            return NOTES
        case None:
            return PLAIN[hint] if hint in PLAIN else of_class(hint)
        case typing.Literal:
            return st.sampled_from(arguments)
        case builtins.tuple if arguments[1:] == (...,):
            return st.lists(of_hint(arguments[0]), max_size=3).map(tuple)
        case builtins.tuple:
            return st.tuples(*map(of_hint, arguments))
        case builtins.dict:
            return st.dictionaries(*map(of_hint, arguments), max_size=3)
        case typing.Annotated:
            return of_notes(arguments[0], hint.__metadata__)
        case _:  # a union
            return st.one_of(*map(of_hint, arguments))


def of_notes(base: Any, notes: Iterable[Any]) -> st.SearchStrategy[Any]:
    for note in notes:
        match note:
            case Option() | TextOption():
                return of_option(note)
            case Range(low, high):
                whole = st.integers(math.ceil(low), math.floor(high))
                return whole if base is int else st.floats(low, high)
            case OptionTable(options, complete):
                rows = {name: of_option(option) for name, option in options.items()}
                given = {} if complete else {"optional": rows}
                return st.fixed_dictionaries(rows if complete else {}, **given)
    return of_hint(base)


def of_class(cls: Any) -> st.SearchStrategy[Any]:
    hints = typing.get_type_hints(cls, include_extras=True)
    return st.builds(cls, **{name: of_hint(hint) for name, hint in hints.items() if name.islower()})


@pytest.mark.parametrize(
    ("messages", "cls"),
    [
        pytest.param(messages, cls, id=f"{cls.__name__} of {name}")
        for name, messages in ALL.items()
        for cls in classes(messages)
    ],
)
def test_what_is_written_is_read_again(messages: Messages[Any], cls: type) -> None:
    @settings(deadline=None, max_examples=40)
    @given(of_class(cls))
    def check(message: Any) -> None:
        line = protocol.encode(message)
        assert line.isascii()
        assert "\n" not in line
        assert decode(line, messages) == message

    check()


# ── invalid lines ────────────────────────────────────────────────────────────────────────────────

KEYS = sorted({key for messages in ALL.values() for cls in classes(messages)
               for key in schema_of(cls).keys} | {"do", "id"})  # fmt: skip
NAMES = sorted({*protocol.SAMPLER_REQUESTS.by_name, *protocol.PLAYER_REQUESTS.by_name})
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(NAMES),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(), inner, max_size=4)
    ),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.sampled_from(KEYS) | st.text(), VALUES, max_size=6)
REQUESTS = st.builds(
    lambda do, more: {"do": do, **more},
    st.sampled_from(NAMES),
    st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4),
)


@settings(deadline=None, max_examples=400)
@given(st.binary() | (VALUES | OBJECTS | REQUESTS).map(lambda value: json.dumps(value).encode()))
def test_any_line_is_a_message_or_an_input_error(line: bytes) -> None:
    for messages in ALL.values():
        with contextlib.suppress(InputError):
            assert isinstance(protocol.decode(line, messages), tuple(classes(messages)))


@pytest.mark.parametrize("key", ["id", "do", "notes", "top_k", "text", "prime"])
def test_a_line_nested_at_any_depth_is_an_input_error(key: str) -> None:
    for depth in [*range(800, 1000, 7), 100_000]:
        for do in ("sample", "load"):
            line = f'{{"do": "{do}", "{key}": ' + "[" * depth + "]" * depth + "}"
            for messages in (protocol.SAMPLER_REQUESTS, protocol.PLAYER_REQUESTS):
                with pytest.raises(InputError):
                    decode(line, messages)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{", "A request is not JSON ("),
        ("7", "A request is not a JSON object: send one object a line."),
        ("{}", "The request asks to do None: it can be load, sample, change, "),
        ('{"do": "dance"}', "The request asks to do 'dance': it can be load"),
        ('{"do": "stop", "model": "m"}', "A request to stop has no key 'model': leave it out."),
        ('{"do": "load", "id": [1]}', "id is [1]: give a number or a text."),
        ('{"do": "load", "id": true}', "id is True: give a number or a text."),
        ('{"do": "load", "model": 3}', "model is 3: give its name or path."),
        ('{"do": "load", "precision": "x"}', "precision is 'x': give fast or full."),
        ('{"do": "sample", "bits": 1}', "bits is 1: give true or false."),
        ('{"do": "sample", "prime": 1}', "prime is 1: give a text."),
        ('{"do": "sample", "seed": 1.5}', "Seed must be a whole number of 0 or more, not 1.5."),
        ('{"do": "sample", "guidance": "inf"}', "Guidance must be a number from 0 to 10, not"),
        ('{"do": "neurons", "song": "x"}', "song is 'x': give a whole number."),
        ('{"do": "unit", "layer": 1}', "unit is missing: give its number, from 1."),
        ('{"do": "unit", "layer": null, "unit": 1}', "layer is missing: give its number, from 1."),
    ],
)
def test_what_is_wrong_with_a_request_is_one_sentence(line: str, sentence: str) -> None:
    with pytest.raises(MessageError) as caught:
        decode(line, protocol.SAMPLER_REQUESTS)
    assert str(caught.value).startswith(sentence)


def test_an_error_has_the_id_and_the_kind_of_its_request() -> None:
    with pytest.raises(MessageError) as caught:
        decode('{"do": "tempo", "id": "a", "factor": 0}', protocol.PLAYER_REQUESTS)
    assert (caught.value.id, caught.value.kind) == ("a", SetTempo)
    with pytest.raises(MessageError) as caught:
        decode('{"do": "dance", "id": 7}', protocol.PLAYER_REQUESTS)
    assert (caught.value.id, caught.value.kind) == (7, None)


# ── defaults and what is left out ────────────────────────────────────────────────────────────────


def test_null_and_a_missing_key_mean_the_default() -> None:
    for line in ('{"do": "sample"}', '{"do": "sample", "temperature": null, "prime": null}'):
        assert decode(line, protocol.SAMPLER_REQUESTS) == SampleLyrics()
    assert SampleLyrics().options == {
        name: option.default for name, option in LYRICS_OPTIONS.items() if option.live
    }
    assert SampleLyrics().options["temperature"] == SampleLadder().temperature == 0.7
    assert SampleMusic().options["temperature"] == 1.0
    assert SampleMusic().length is MUSIC_OPTIONS["length"].default is None
    assert decode('{"do": "ladder"}', protocol.SAMPLER_REQUESTS).length == 400
    assert decode('{"do": "loop"}', protocol.PLAYER_REQUESTS) == Loop(True, 0.0, None)
    change = decode('{"do": "change", "top_k": 3, "line": null}', protocol.SAMPLER_REQUESTS)
    assert change.options == {"top_k": 3}


def test_infinity_and_whole_floats() -> None:
    request = SampleLyrics(options={"temperature": math.inf})
    assert '"temperature": "inf"' in protocol.encode(request)
    assert decode(protocol.encode(request), protocol.SAMPLER_REQUESTS) == request
    ladder = SampleLadder(temperature=math.inf)
    assert decode(protocol.encode(ladder), protocol.SAMPLER_REQUESTS) == ladder
    line = '{"do": "sample", "seed": 3.0, "top_k": 2.0, "temperature": 1}'
    sample = decode(line, protocol.SAMPLER_REQUESTS)
    assert (sample.seed, sample.options["top_k"], sample.options["temperature"]) == (3, 2, 1.0)
    assert type(sample.seed) is type(sample.options["top_k"]) is int


def test_what_has_its_default_is_left_out_but_for_the_id_of_an_answer() -> None:
    assert protocol.encode(Failed("No.")) == '{"id": null, "error": "No."}'
    assert protocol.encode(Character("a", id=1)) == '{"id": 1, "text": "a"}'
    assert protocol.encode(ReadUnits("m", id=2)) == '{"do": "neurons", "id": 2, "model": "m"}'
    assert protocol.encode(LoadModel()) == '{"do": "load"}'
    loaded = Loaded("m", "music", "w", (), FrameLength(0.25, None, 100.0), id=1)
    assert protocol.encode(loaded).endswith(
        '"conditions": [], "seconds": 0.25, "beats": null, "tempo": 100.0}'
    )


def test_unknown_keys_of_an_answer_are_ignored() -> None:
    assert decode('{"id": 1, "text": "a", "new": 3}', protocol.SAMPLER_ANSWERS) == Character(
        "a", id=1
    )
    with pytest.raises(MessageError, match="An answer needs one of the keys error, name"):
        decode('{"id": 1, "new": 3}', protocol.SAMPLER_ANSWERS)


def test_a_command_prints_answers_without_the_id_and_with_more() -> None:
    done = LyricsDone(reason="end", characters=2, seconds=0.5, seed=9, bits=1.5)
    assert protocol.encode_output(done, prime="é", artist=None) == (
        '{"done": true, "reason": "end", "characters": 2, "seconds": 0.5, "seed": 9, "bits": 1.5, '
        '"prime": "é", "artist": null}'
    )
    frame = MusicFrame(protocol.Frame((60,), None), id=3)
    assert protocol.encode_output(frame) == '{"keys": [60], "onsets": null}'
    music = MusicDone(reason="length", frames=2, seed=9)
    assert protocol.encode_output(music) == (
        '{"done": true, "reason": "length", "frames": 2, "seed": 9}'
    )


def test_each_decoding_option_of_the_table_is_in_the_protocol() -> None:
    def options(cls: Any) -> set[str]:
        fields = {field.name for field in dataclasses.fields(cls)}
        hint = typing.get_type_hints(cls, include_extras=True)["options"]
        table: Mapping[str, AnyOption] = hint.__metadata__[0].options
        return {*table, *fields}

    assert options(SampleLyrics) >= {*LYRICS_OPTIONS}
    assert options(SampleMusic) >= {*MUSIC_OPTIONS}
