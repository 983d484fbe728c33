"""A letter on every control that is in view; typing it goes to the control."""

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Static

from tui.widgets.styling import StyledOnce

LETTERS = "asdfghjklqwertyuiopzxcvbnmASDFGHJKLQWERTYUIOPZXCVBNM"


class JumpScreen(StyledOnce, ModalScreen[Widget | None]):
    """Labels over the controls of a page; returns the control whose letter is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Cancel", id="jump.cancel", tooltip="Go nowhere"),
    ]
    DEFAULT_CSS = """
    JumpScreen {
        align: left top;
        background: $background 40%;
        & Static { position: absolute; width: auto; height: 1; padding: 0 1;
                   background: $accent; color: $background; text-style: bold; }
    }
    """

    def __init__(self, controls: Sequence[Widget]) -> None:
        super().__init__()
        self.controls = dict(zip(LETTERS, controls, strict=False))

    def compose(self) -> ComposeResult:
        """Lay a label over the first cells of each control."""
        for letter, control in self.controls.items():
            label = Static(letter, markup=False)
            label.styles.offset = control.region.offset
            yield label

    def on_key(self, event: events.Key) -> None:
        """Return the control of a letter; any other key does nothing."""
        if event.character in self.controls:
            event.stop()
            self.dismiss(self.controls[event.character])


def controls(screen: Screen[object]) -> list[Widget]:
    """Return the widgets of a screen that can take keys and are in view."""
    return [widget for widget in screen.focus_chain if screen.find_widget(widget).visible_region]
