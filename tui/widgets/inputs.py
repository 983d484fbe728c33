"""The fields that several pages have."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input

from tui.model.values import step_temperature


class Field(Input):
    """A field of one row. Enter says that all is as it should be."""

    BINDING_GROUP_TITLE = "Fields"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Write", id="field.submit",
                tooltip="Write a song as the fields say"),
    ]  # fmt: skip

    def __init__(self, value: str, placeholder: str, name: str) -> None:
        super().__init__(value, placeholder=placeholder, id=name, compact=True)


class TemperatureField(Field):
    """A temperature. Up and down change it by a tenth."""

    BINDING_GROUP_TITLE = "Temperature"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "warm(1)", "Warmer", show=False, id="temperature.up",
                tooltip="A tenth more"),
        Binding("down", "warm(-1)", "Cooler", show=False, id="temperature.down",
                tooltip="A tenth less"),
    ]  # fmt: skip

    def action_warm(self, steps: int) -> None:
        """Change it by so many tenths."""
        self.value = step_temperature(self.value.strip(), steps)
