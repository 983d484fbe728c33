"""A text whose characters are shaded by what a unit holds after each of them."""

from typing import ClassVar

from textual.binding import BindingType

from tui.model.neurons import LEVELS
from tui.widgets.lyrics_text import LyricsText


class NeuronText(LyricsText):
    """Levels 1 … 4 are above zero, 5 … 8 below."""

    BINDING_GROUP_TITLE = "The text"
    BINDINGS: ClassVar[list[BindingType]] = []
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"lyrics-text--level{level}" for level in range(1, 2 * LEVELS + 1)
    }
    DEFAULT_CSS = """
    NeuronText {
        & > .lyrics-text--level1 { background: $primary 18%; }
        & > .lyrics-text--level2 { background: $primary 40%; }
        & > .lyrics-text--level3 { background: $primary 65%; color: auto 95%; }
        & > .lyrics-text--level4 { background: $primary 95%; color: auto 95%; }
        & > .lyrics-text--level5 { background: $warning 14%; text-style: none; }
        & > .lyrics-text--level6 { background: $warning 30%; text-style: underline; }
        & > .lyrics-text--level7 { background: $warning 48%; text-style: underline; }
        & > .lyrics-text--level8 { background: $warning 70%; text-style: underline; }
    }
    """

    def action_look(self, steps: int) -> None:
        """Look at another character, from the first one in sight on."""
        rows = self._wrapped.rows
        if self._looked is None and self._levels:
            top = rows[min(self.scroll_offset.y, len(rows) - 1)][0]
            self._looked = top - steps if steps > 0 else top + 1
        super().action_look(steps)
