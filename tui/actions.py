"""Every action of the page in front: the bindings, as the palette and the help screen list them."""

from dataclasses import dataclass

from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import Screen


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


def actions(screen: Screen[object]) -> list[Action]:
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
