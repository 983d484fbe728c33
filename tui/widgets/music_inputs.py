"""The fields one types in on the Music page."""

from collections.abc import Callable
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input

from engine.errors import InputError
from tui.widgets.music_fields import stepped


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
