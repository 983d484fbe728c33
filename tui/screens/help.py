"""All keys of a page with what they do, made from its bindings."""

from itertools import groupby
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.actions import Action
from tui.widgets.footer import Footer


class HelpScreen(ModalScreen[None]):
    """Lists actions, group by group."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,f1,q", "dismiss", "Close", key_display="esc",
                id="help.close", tooltip="Back to the page"),
    ]  # fmt: skip

    def __init__(self, actions: list[Action]) -> None:
        super().__init__()
        self.table = table(actions)

    def compose(self) -> ComposeResult:
        """Lay out the list."""
        with VerticalScroll(classes="dialog wide") as box:
            box.border_title = "Keys"
            yield Static(self.table)
        yield Footer(show_command_palette=False)


def table(actions: list[Action]) -> Table:
    """Keys on the left, what they do on the right, a headline for each group."""
    result = Table.grid(padding=(0, 2))
    result.add_column(justify="right", no_wrap=True)
    result.add_column()
    for group, members in groupby(actions, key=lambda action: action.group):
        if result.row_count:
            result.add_row()
        result.add_row("", Text(group, "bold underline"))
        for action in members:
            result.add_row(Text(action.keys, "bold"), Text(action.tooltip))
    return result
