"""The fields one types in on the Lyrics page."""

import math
import re
from collections.abc import Callable
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input

from engine.errors import InputError

HOTTEST = 2.0  # as far as the − and + keys go; more can be typed
_STEP = 0.1


def parse_number(text: str) -> float:
    """The number, or NaN, which is in no range, where the text is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def parse_whole(text: str) -> int:
    """The whole number, or -1, which is in no range, where the text is none."""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else -1


def temperature(text: str) -> float:
    """0 or more, or `inf`; blank is 0.7."""
    value = parse_number(text) if text else 0.7
    if not value >= 0:  # not >=: NaN is refused too
        raise InputError(f"Temperature is {text!r}: give 0 or more, or inf.")
    return value


def seed(text: str) -> int | None:
    """Where chance begins; blank is a new place each time."""
    if not text:
        return None
    value = parse_whole(text)
    if value < 0:
        raise InputError(
            f"Seed is {text!r}: give a whole number from 0, or leave it blank for a new one."
        )
    return value


def step_temperature(text: str, steps: int) -> str:
    """The temperature a number of tenths away, between 0 and HOTTEST; a bad text starts at 0.7."""
    try:
        value = min(temperature(text), HOTTEST)
    except InputError:
        value = 0.7
    tenths = value / _STEP
    # A typed 0.75 goes to its neighbours 0.7 and 0.8. The margin is for 0.7 / 0.1 = 6.999….
    place = math.floor(tenths + 1e-6) if steps > 0 else math.ceil(tenths - 1e-6)
    return f"{min(max((place + steps) * _STEP, 0.0), HOTTEST):.1f}"


def number(name: str, text: str, usual: float, low: float, high: float) -> float:
    """A number in a range; blank is the usual one."""
    value = usual
    if text:
        try:
            value = float(text.lstrip("×"))
        except ValueError:
            value = math.nan
    if not low <= value <= high:  # not <=: NaN is refused too
        to = "up to inf" if high == math.inf else f"to {high:g}"
        raise InputError(f"{name} is {text!r}: give a number from {low:g} {to}.")
    return value


def whole(name: str, text: str, usual: int, low: int, high: int) -> int:
    """A whole number in a range; blank is the usual one."""
    value = number(name, text, usual, low, high)
    if value != int(value):
        raise InputError(f"{name} is {text!r}: give a whole number from {low} to {high}.")
    return int(value)


def stepped(value: float, steps: int, step: float, low: float, high: float) -> str:
    """The multiple of `step` so many steps away, within a range, as short as it can be."""
    units = value / step
    # A typed 0.75 goes to its neighbours. The margin is for 0.7 / 0.1 = 6.999….
    place = math.floor(units + 1e-6) if steps > 0 else math.ceil(units - 1e-6)
    return f"{round(min(max((place + steps) * step, low), high), 6):g}"


class Field(Input):
    """A field of one row. Enter says that all is as it should be."""

    BINDING_GROUP_TITLE = "Fields"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Sing", id="lyrics.field.sing",
                tooltip="Write a song as the fields say"),
    ]  # fmt: skip

    def __init__(self, value: str, placeholder: str, name: str) -> None:
        super().__init__(value, placeholder=placeholder, id=name, compact=True)


class PrimeField(Field):
    """How the song begins. Up and down walk through what was asked before."""

    BINDING_GROUP_TITLE = "How it begins"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "recall(-1)", "Earlier", show=False, id="lyrics.prime.earlier",
                tooltip="An earlier beginning"),
        Binding("down", "recall(1)", "Later", show=False, id="lyrics.prime.later",
                tooltip="A later beginning"),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__("Why", "nothing", "prime")
        self._past: list[str] = []
        self._place = 0

    def remember(self) -> None:
        """Note what is in the field as the latest beginning."""
        self._past = [*(text for text in self._past if text != self.value), self.value]
        self._place = len(self._past) - 1

    def action_recall(self, steps: int) -> None:
        """Show another of the past beginnings."""
        if self._past:
            self._place = min(max(self._place + steps, 0), len(self._past) - 1)
            self.value = self._past[self._place]


class TemperatureField(Field):
    """A temperature. Up and down change it by a tenth."""

    BINDING_GROUP_TITLE = "Temperature"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "warm(1)", "Warmer", show=False, id="lyrics.temperature.up",
                tooltip="A tenth more"),
        Binding("down", "warm(-1)", "Cooler", show=False, id="lyrics.temperature.down",
                tooltip="A tenth less"),
    ]  # fmt: skip

    def action_warm(self, steps: int) -> None:
        """Change it by so many tenths."""
        self.value = step_temperature(self.value.strip(), steps)


class MusicField(Input):
    """A field of one row. Enter says that all is as it should be.

    means: what its text stands for; raises InputError for one that stands for nothing.
    """

    BINDING_GROUP_TITLE = "Fields"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Write", id="music.field.write",
                tooltip="Write music as the fields say"),
    ]  # fmt: skip

    def __init__(self, name: str, means: Callable[[str], Any], placeholder: str) -> None:
        super().__init__(placeholder=placeholder, id=name, compact=True)
        self._means = means

    def meaning(self) -> Any:
        """What stands in it. Raises InputError where that is wrong."""
        return self._means(self.value.strip())


class StepField(MusicField):
    """A number that the up and down keys change, between the ends of a range."""

    BINDING_GROUP_TITLE = "Numbers"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "step(1)", "More", show=False, id="music.field.up", tooltip="A step more"),
        Binding("down", "step(-1)", "Less", show=False, id="music.field.down",
                tooltip="A step less"),
    ]  # fmt: skip

    def __init__(
        self,
        name: str,
        means: Callable[[str], Any],
        usual: str,
        steps: tuple[float, float, float],
    ) -> None:
        """`steps`: the size of one, and from where to where they go; more can be typed."""
        super().__init__(name, means, usual)
        self._steps = steps

    def action_step(self, steps: int) -> None:
        """Change it by so many steps; a wrong value is left first."""
        size, low, high = self._steps
        try:
            value = float(self.meaning())
        except InputError:
            value = float(self._means(""))
        self.value = stepped(min(max(value, low), high), steps, size, low, high)
