"""Classes of style rules, set at little cost."""

from textual.dom import DOMNode


def set_class(node: DOMNode, on: bool, name: str, *styled: DOMNode) -> None:
    """Add a class to a node or remove it, and style again only `styled`.

    These are the widgets that rules with the class apply to. Textual's own `set_class` styles all
    descendants of the node again, for a page some 50 ms.
    """
    if node.has_class(name) != on:
        node.set_class(on, name, update=False)
        node.app.stylesheet.update_nodes(styled)
