"""Reading dataclasses from JSON objects, checked by their type hints, and writing them.

A field without a default is always written; a field with one only if its value differs from it.
When an object is read, null and a missing key mean the default, or None for a field without a
default whose type allows None. Plain Python: the app imports this before it draws its first page.
"""

import dataclasses
import functools
import math
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal, NamedTuple

from engine.errors import InputError
from engine.options import AnyOption, Option, OptionValue, TextOption, range_words

MISSING = dataclasses.MISSING

# ── metadata in Annotated[type, …] ───────────────────────────────────────────────────────────────
# An `Option` may be given too: its range is checked, and its error message used.


class Range(NamedTuple):
    """The range of a number; both limits are included."""

    low: float
    high: float


class Words(NamedTuple):
    """A description of the value for error messages, in place of the type's description."""

    text: str


class Check(NamedTuple):
    """A function that checks and converts the value, in place of the type's own.

    It raises InputError with a message, or TypeError for the usual message.
    """

    function: Callable[[Any], Any]


class Key(NamedTuple):
    """The field's key in the object, if it differs from the field's name."""

    name: str


class Inline(NamedTuple):
    """Marks a dataclass whose fields are keys of the surrounding object, not of a nested one."""


class OptionTable(NamedTuple):
    """Marks a mapping from option names to values, which are keys of the surrounding object.

    options: the options allowed, by name. complete: whether the mapping also holds the defaults of
    options that the object lacks.
    """

    options: Mapping[str, AnyOption]
    complete: bool = True

    def fill(self, given: Mapping[str, OptionValue]) -> dict[str, Any]:
        """Return the given values and, if `complete`, the defaults of the other options."""
        defaults = {name: option.default for name, option in self.options.items() if self.complete}
        return {**defaults, **given}


# ── schemas ──────────────────────────────────────────────────────────────────────────────────────


class _Type(NamedTuple):
    """How values of a type are described, read from JSON and written to it."""

    words: str  # a description for error messages, for example "a whole number"
    read: Callable[[Any], Any]  # raises TypeError or OverflowError for a value of another type
    write: Callable[[Any], Any] | None = None  # None: values are written unchanged


class _Field(NamedTuple):
    """A field that is stored under one key of the object."""

    name: str
    key: str
    type: _Type
    optional: bool  # whether None is allowed
    default: Any  # MISSING: no default

    @property
    def writer(self) -> tuple[str, Any, str | None, Any]:
        return self.name, self.default, self.key, self.type.write


class _InlineField(NamedTuple):
    """A field that is stored under several keys of the object (`Inline`, `OptionTable`)."""

    name: str
    keys: frozenset[str]
    read: Callable[[dict[str, Any]], Any]
    write: Callable[[dict[str, Any], Any], None]
    default: Any

    @property
    def writer(self) -> tuple[str, Any, str | None, Any]:
        return self.name, self.default, None, self.write


class Schema:
    """Reads a dataclass from a JSON object and writes it to one; `schema_of` returns it."""

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
        """Return an instance of the dataclass from an object; unknown keys are ignored.

        Raises InputError, with a sentence that names the key, for a wrong or missing value.
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
        """Return a dataclass instance as an object."""
        result: dict[str, Any] = {}
        self.write_to(result, value)
        return result

    def write_to(self, result: dict[str, Any], value: object) -> None:
        """Add the fields of a dataclass instance to the object `result`."""
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
    """Return the schema of a dataclass; it is built once for each class."""
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

    def write(result: dict[str, Any], options: Mapping[str, OptionValue]) -> None:
        result.update({key: _finite(value) for key, value in options.items()})

    return _InlineField(name, frozenset(types_), read, write, MISSING)


def _inline(name: str, schema: Schema, default: Any) -> _InlineField:
    def read(values: dict[str, Any]) -> Any:
        absent = default is not MISSING and schema.keys.isdisjoint(values)
        return default if absent else schema.read(values)

    return _InlineField(name, frozenset(schema.keys), read, schema.write_to, default)


# ── types ────────────────────────────────────────────────────────────────────────────────────────


def _without_none(hint: Any) -> tuple[Any, bool]:
    """Return a type hint without None, and whether None was part of it."""
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
    if issubclass(hint, tuple):  # a NamedTuple is written as an array
        return _array(hint._make, tuple(typing.get_type_hints(hint).values()))
    schema = schema_of(hint)
    return _Type("an object", functools.partial(_read_object, schema), schema.write)


def _annotated(base: Any, notes: Iterable[Any]) -> _Type:
    type_ = _type(base)
    for note in notes:
        match note:
            case Option() | TextOption():
                type_ = _option(note)
            case Range(low, high):
                read = functools.partial(_read_in_range, type_.read, low, high)
                type_ = _Type(range_words(base, low, high), read)
            case Words(text):
                type_ = type_._replace(words=text)
            case Check(function):
                type_ = type_._replace(read=function)
    return type_


def _option(option: AnyOption) -> _Type:
    """Return how an option is read and written: with its own error message, infinity as "inf"."""
    unbounded = isinstance(option, Option) and option.type is float and option.high == math.inf

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
    """Return how a tuple of fixed length is read; `make` builds it from the list of its items.

    It is written unchanged.
    """
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


def _finite(value: OptionValue) -> OptionValue:
    """Return a value as JSON can represent it: infinity as "inf"."""
    return "inf" if value == math.inf else value


_PLAIN: dict[Any, _Type] = {
    str: _Type("a text", _read_str),
    bool: _Type("true or false", _read_bool),
    int: _Type("a whole number", _read_int),
    float: _Type("a number", _read_float),
}
