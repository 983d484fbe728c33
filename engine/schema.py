"""Dataclasses as JSON objects: read and checked field by field by their type hints, and written.

A field without a default is always written, one with a default only where its value is another.
For both, null and a missing key mean the default, or None where the type allows that. Plain Python:
the app imports this before it draws its first page.
"""

import dataclasses
import functools
import math
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal, NamedTuple

from engine.errors import InputError
from engine.options import Option, range_words

MISSING = dataclasses.MISSING

# ── what stands beside a type in an annotation ───────────────────────────────────────────────────
# An `Option` does too: its check and its error message.


class Range(NamedTuple):
    """The range of a number."""

    low: float
    high: float


class Words(NamedTuple):
    """What an error message asks for, in place of the type's words."""

    text: str


class Check(NamedTuple):
    """A function that reads the value; raises InputError, or TypeError for the usual message."""

    function: Callable[[Any], Any]


class Key(NamedTuple):
    """The key in the object, where it is not the field's name."""

    name: str


class Inline(NamedTuple):
    """The fields of this dataclass stand in the same object."""


class OptionTable(NamedTuple):
    """Options by name, as the rows of a table allow them; they stand in the same object.

    complete: an option that is left out has its default.
    """

    options: Mapping[str, Option]
    complete: bool = True

    def fill(self, given: Mapping[str, float]) -> dict[str, Any]:
        """Return the options given, and the defaults of others if the table is complete."""
        defaults = {name: option.default for name, option in self.options.items() if self.complete}
        return {**defaults, **given}


# ── schemas ──────────────────────────────────────────────────────────────────────────────────────


class _Type(NamedTuple):
    """How the values of a type are read and written."""

    words: str  # what an error message asks for
    read: Callable[[Any], Any]  # raises TypeError or OverflowError for a value of another type
    write: Callable[[Any], Any] | None = None  # None: unchanged


class _Field(NamedTuple):
    """A field with a key of its own."""

    name: str
    key: str
    type: _Type
    optional: bool  # None is allowed
    default: Any  # MISSING without one

    @property
    def writer(self) -> tuple[str, Any, str | None, Any]:
        return self.name, self.default, self.key, self.type.write


class _InlineField(NamedTuple):
    """A field whose value is spread over several keys of the object."""

    name: str
    keys: frozenset[str]
    read: Callable[[dict[str, Any]], Any]
    write: Callable[[dict[str, Any], Any], None]
    default: Any

    @property
    def writer(self) -> tuple[str, Any, str | None, Any]:
        return self.name, self.default, None, self.write


class Schema:
    """How a dataclass is read from an object and written to one; see `schema_of`."""

    def __init__(self, cls: Any) -> None:
        hints = typing.get_type_hints(cls, include_extras=True)
        self._cls = cls
        self._fields = [_field(item, hints[item.name]) for item in dataclasses.fields(cls)]
        self._by_key = {item.key: item for item in self._fields if isinstance(item, _Field)}
        self._inline = [item for item in self._fields if isinstance(item, _InlineField)]
        self._required = [item for item in self._by_key.values() if item.default is MISSING]
        self._writers = [item.writer for item in self._fields]
        self.keys = self._by_key.keys() | {key for item in self._inline for key in item.keys}

    def read(self, values: dict[str, Any]) -> Any:
        """Return the dataclass of an object, whose unknown keys are ignored.

        Raises InputError, one sentence that names the key, for a value that is wrong or missing.
        """
        found: dict[str, Any] = {}
        for key, value in values.items():
            if value is None or (item := self._by_key.get(key)) is None:
                continue
            try:
                found[item.name] = item.type.read(value)
            except (TypeError, OverflowError) as error:
                sentence = f"{key} is {value!r:.60}: give {item.type.words}."
                raise InputError(sentence) from error
        for spread in self._inline:
            found[spread.name] = spread.read(values)
        for item in self._required:
            if item.name not in found:
                if not item.optional:
                    raise InputError(f"{item.key} is missing: give {item.type.words}.")
                found[item.name] = None
        return self._cls(**found)

    def write(self, value: object) -> dict[str, Any]:
        """Return the object of a dataclass."""
        result: dict[str, Any] = {}
        self.write_to(result, value)
        return result

    def write_to(self, result: dict[str, Any], value: object) -> None:
        """Add the keys of a dataclass to an object."""
        for name, default, key, write in self._writers:
            part = getattr(value, name)
            if part is default or part == default:
                continue
            if key is None:
                write(result, part)
            else:
                result[key] = part if write is None or part is None else write(part)


_SCHEMAS: dict[Any, Schema] = {}


def schema_of(cls: Any) -> Schema:
    """Return the schema of a dataclass; it is made once."""
    if cls not in _SCHEMAS:
        _SCHEMAS[cls] = Schema(cls)
    return _SCHEMAS[cls]


def _field(item: "dataclasses.Field[Any]", hint: Any) -> _Field | _InlineField:
    hint, optional = _without_none(hint)
    key = item.name
    for note in getattr(hint, "__metadata__", ()):
        match note:
            case Key(name):
                key = name
            case OptionTable():
                return _options(item.name, note)
            case Inline():
                return _inline(item.name, schema_of(hint.__origin__), item.default)
    return _Field(item.name, key, _type(hint), optional, item.default)


def _options(name: str, table: OptionTable) -> _InlineField:
    types_ = {key: _option(option) for key, option in table.options.items()}

    def read(values: dict[str, Any]) -> dict[str, Any]:
        given = {key: values[key] for key in types_ if values.get(key) is not None}
        return table.fill({key: types_[key].read(value) for key, value in given.items()})

    def write(result: dict[str, Any], options: Mapping[str, float]) -> None:
        result.update({key: _finite(number) for key, number in options.items()})

    return _InlineField(name, frozenset(types_), read, write, MISSING)


def _inline(name: str, schema: Schema, default: Any) -> _InlineField:
    def read(values: dict[str, Any]) -> Any:
        absent = default is not MISSING and schema.keys.isdisjoint(values)
        return default if absent else schema.read(values)

    return _InlineField(name, frozenset(schema.keys), read, schema.write_to, default)


# ── types ────────────────────────────────────────────────────────────────────────────────────────


def _without_none(hint: Any) -> tuple[Any, bool]:
    """Return X for the hint `X | None`, and whether it was one."""
    if typing.get_origin(hint) not in {types.UnionType, typing.Union}:
        return hint, False
    rest = tuple(arg for arg in typing.get_args(hint) if arg is not types.NoneType)
    return (rest[0] if len(rest) == 1 else typing.Union[rest]), True  # noqa: UP007


def _type(hint: Any) -> _Type:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return _annotated(hint.__origin__, hint.__metadata__)
    if origin is Literal:
        return _Type(" or ".join(arguments), functools.partial(_read_literal, arguments))
    if origin is typing.Union:
        words = " or ".join(_PLAIN[each].words for each in arguments)
        return _Type(words, functools.partial(_read_exact, arguments))
    if origin is tuple and arguments[1:] == (...,):
        return _list(arguments[0])
    if origin is tuple:
        return _array(tuple, arguments)
    if origin is dict:
        return _Type("an object of numbers", _read_numbers)
    if hint in _PLAIN:
        return _PLAIN[hint]
    if issubclass(hint, tuple):  # a NamedTuple stands as an array
        return _array(hint._make, tuple(typing.get_type_hints(hint).values()))
    schema = schema_of(hint)
    return _Type("an object", functools.partial(_read_object, schema), schema.write)


def _annotated(base: Any, notes: Iterable[Any]) -> _Type:
    type_ = _type(base)
    for note in notes:
        match note:
            case Option():
                type_ = _option(note)
            case Range(low, high):
                read = functools.partial(_read_in_range, type_.read, low, high)
                type_ = _Type(range_words(base, low, high), read)
            case Words(text):
                type_ = type_._replace(words=text)
            case Check(function):
                type_ = type_._replace(read=function)
    return type_


def _option(option: Option) -> _Type:
    """Return the type of an option, which has its own error message; infinity is written "inf"."""
    unbounded = option.type is float and option.high == math.inf

    def read(value: Any) -> Any:
        if unbounded and value == "inf":
            return math.inf
        if option.type is int and isinstance(value, float) and value.is_integer():
            value = int(value)
        return option.check(value)

    return _Type(f"a value of {option.label}", read, _finite if unbounded else None)


def _list(hint: Any) -> _Type:
    type_ = _type(hint)
    read, write = type_.read, type_.write
    exact = {hint} if hint in _PLAIN else None

    def read_all(value: Any) -> tuple[Any, ...]:
        if type(value) is not list:
            raise TypeError
        if exact and {*map(type, value)} == exact:  # no more to check
            return tuple(value)
        return tuple([read(item) for item in value])

    def write_all(value: Iterable[Any]) -> list[Any]:
        assert write is not None
        return [write(item) for item in value]

    return _Type(f"a list, each {type_.words}", read_all, None if write is None else write_all)


def _array(make: Callable[[Iterable[Any]], Any], hints: tuple[Any, ...]) -> _Type:
    """Return the type of a tuple of fixed length; its values are written unchanged."""
    reads, exact = [_type(hint).read for hint in hints], [*hints]

    def read(value: Any) -> Any:
        if type(value) is not list or len(value) != len(exact):
            raise TypeError
        if [*map(type, value)] == exact:  # no more to check
            return make(value)
        return make([read(item) for read, item in zip(reads, value, strict=True)])

    return _Type(f"a list of {len(exact)} values", read)


def _read_str(value: Any) -> str:
    if type(value) is str:
        return value
    raise TypeError


def _read_bool(value: Any) -> bool:
    if type(value) is bool:
        return value
    raise TypeError


def _read_int(value: Any) -> int:
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    raise TypeError


def _read_float(value: Any) -> float:
    if type(value) is float:
        return value
    if type(value) is int:
        return float(value)
    raise TypeError


def _read_numbers(value: Any) -> dict[str, float]:
    if type(value) is dict:
        return {name: _read_float(number) for name, number in value.items()}
    raise TypeError


def _read_object(schema: Schema, value: Any) -> Any:
    if type(value) is dict:
        return schema.read(value)
    raise TypeError


def _read_literal(values: tuple[str, ...], value: Any) -> str:
    if type(value) is str and value in values:
        return value
    raise TypeError


def _read_exact(types_: tuple[type, ...], value: Any) -> Any:
    if type(value) in types_:
        return value
    raise TypeError


def _read_in_range(read: Callable[[Any], Any], low: float, high: float, value: Any) -> Any:
    if low <= (number := read(value)) <= high:
        return number
    raise TypeError


def _finite(value: float) -> float | str:
    """Return a number as JSON can hold it."""
    return "inf" if value == math.inf else value


_PLAIN: dict[Any, _Type] = {
    str: _Type("a text", _read_str),
    bool: _Type("true or false", _read_bool),
    int: _Type("a whole number", _read_int),
    float: _Type("a number", _read_float),
}
