"""The field of the Lyrics page that says how a song begins."""

from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.widgets.inputs import Field


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
