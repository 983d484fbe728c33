"""Style rules applied no more often than needed: Textual takes up to 1 ms for each widget."""

from textual import events
from textual.dom import DOMNode
from textual.screen import Screen


class StyledOnce:
    """A screen whose widgets are styled when they are made; to be named before its base class.

    Textual would style all of them again when the screen comes up and when it is first resized. A
    theme that was changed meanwhile still reaches them.
    """

    def on_compose(self) -> None:
        """Add the classes for the size of the terminal before there are widgets."""
        assert isinstance(self, Screen)
        app = self.app
        for size, breakpoints in zip(
            app.size, (app.HORIZONTAL_BREAKPOINTS, app.VERTICAL_BREAKPOINTS), strict=True
        ):
            name = max(entry for entry in breakpoints or [] if entry[0] <= size)[1]
            set_class(self, True, name, self)

    def _on_screen_resume(self, event: events.ScreenResume) -> None:
        """Have Textual keep the styles."""
        event.refresh_styles = False


def set_class(node: DOMNode, on: bool, name: str, *styled: DOMNode) -> None:
    """Add a class to a node or remove it, and style again only `styled`.

    These are the widgets that rules with the class apply to. Textual's own `set_class` styles all
    descendants of the node again, for a page some 50 ms.
    """
    if node.has_class(name) != on:
        node.set_class(on, name, update=False)
        node.app.stylesheet.update_nodes(styled)
