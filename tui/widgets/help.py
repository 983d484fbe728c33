"""All keys of a page with what they do, made from its bindings."""

from dataclasses import dataclass
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


@dataclass(frozen=True)
class Action:
    """Something a key does."""

    id: str
    group: str  # the part of the page it belongs to
    keys: str  # as people read them
    name: str
    tooltip: str
    node: DOMNode  # where it is carried out
    action: str


def page_actions(screen: Screen[object]) -> list[Action]:
    """The actions of a screen, then of its widgets, then of the app.

    The bindings of the classes are all there is: one without an id and a tooltip is Textual's own
    (moving about in a field, say) and left out.
    """
    nodes: list[DOMNode] = [screen, *(node for node in screen.query("*") if node.is_on_screen)]
    if not screen.is_modal:
        nodes.append(screen.app)
    found: dict[str, Action] = {}
    for node in nodes:
        group = node.BINDING_GROUP_TITLE or ("Everywhere" if isinstance(node, App) else "This page")
        for binding in type(node).__dict__.get("BINDINGS", ()):
            if isinstance(binding, Binding) and binding.id and binding.tooltip:
                keys = " ".join(
                    dict.fromkeys(
                        screen.app.get_key_display(single)
                        for single in Binding.make_bindings([binding])
                    )
                )
                found.setdefault(
                    binding.id,
                    Action(
                        binding.id,
                        group,
                        keys,
                        binding.description,
                        binding.tooltip,
                        node,
                        binding.action,
                    ),
                )
    return list(found.values())


class HelpScreen(ModalScreen[None]):
    """Lists actions, group by group."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,f1,q", "dismiss", "Close", key_display="esc",
                id="help.close", tooltip="Back to the page"),
    ]  # fmt: skip

    def __init__(self, actions: list[Action]) -> None:
        super().__init__()
        self.table = key_table(actions)

    def compose(self) -> ComposeResult:
        """Lay out the list."""
        with VerticalScroll(classes="dialog wide") as box:
            box.border_title = "Keys"
            yield Static(self.table)
        yield Footer(show_command_palette=False)


def key_table(actions: list[Action]) -> Table:
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
