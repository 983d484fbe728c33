"""The actions of a screen, collected from its bindings, and the dialog that lists them."""

from dataclasses import dataclass, replace
from itertools import groupby
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from tui.widgets.footer import Footer
from tui.widgets.styling import StyledOnce


@dataclass(frozen=True)
class Action:
    """An action with the keys that run it."""

    id: str
    group: str  # the headline above it in the list of keys
    keys: str  # as displayed
    name: str
    tooltip: str
    node: DOMNode  # the widget, screen or app that the action belongs to
    action: str


def page_actions(screen: Screen[object]) -> list[Action]:
    """Return the actions of a screen, then of its visible widgets, then of the app.

    Bindings without an id and a tooltip are left out: they are Textual's own, such as those for
    editing a field.
    """
    nodes: list[DOMNode] = [screen, *(node for node in screen.query("*") if node.is_on_screen)]
    if not screen.is_modal:
        nodes.append(screen.app)
    found: dict[str, Action] = {}
    for node in nodes:
        group = node.BINDING_GROUP_TITLE or ("Everywhere" if isinstance(node, App) else "This page")
        for binding in type(node).__dict__.get("BINDINGS", ()):
            if isinstance(binding, Binding) and binding.id and binding.tooltip:
                action = Action(
                    id=binding.id,
                    group=group,
                    keys=_display(binding, screen.app),
                    name=binding.description,
                    tooltip=binding.tooltip,
                    node=node,
                    action=binding.action,
                )
                found.setdefault(binding.id, action)
    return list(found.values())


def _display(binding: Binding, app: App[object]) -> str:
    """Return the keys of a binding as displayed, without repetition."""
    if binding.id and binding.id in app._keymap:  # changed by a set of keys or in the settings
        binding = replace(binding, key=app._keymap[binding.id], key_display=None)
    keys = (app.get_key_display(single) for single in Binding.make_bindings([binding]))
    return " ".join(dict.fromkeys(keys))


class HelpScreen(StyledOnce, ModalScreen[None]):
    """A list of actions with their keys, in groups."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,f1,q", "dismiss", "Close", key_display="esc",
                id="help.close", tooltip="Back to the page"),
    ]  # fmt: skip

    def __init__(self, actions: list[Action]) -> None:
        super().__init__()
        self.table = _key_table(actions)

    def compose(self) -> ComposeResult:
        """Lay out the list."""
        with VerticalScroll(classes="dialog wide") as box:
            box.border_title = "Keys"
            yield Static(self.table)
        yield Footer(show_command_palette=False)


def _key_table(actions: list[Action]) -> Table:
    """Return a table of keys and tooltips, with a headline for each group."""
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    for group, members in groupby(actions, key=lambda action: action.group):
        if table.row_count:
            table.add_row()
        table.add_row("", Text(group, "bold underline"))
        for action in members:
            table.add_row(Text(action.keys, "bold"), Text(action.tooltip))
    return table
