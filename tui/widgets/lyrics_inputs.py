"""The fields one types in on the Lyrics page."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input

from tui.widgets.lyrics_fields import step_temperature


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
