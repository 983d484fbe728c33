"""The line below the tabs that describes what a page shows."""

from textual.widgets import Static

from tui.widgets.fields import set_text


class Heading(Static):
    """One line about what is seen; a terminal with few rows has no room for it."""

    DEFAULT_CSS = """
    Heading { height: 1; padding: 0 1; color: $text-muted; text-wrap: nowrap;
              text-overflow: ellipsis; }
    """

    def __init__(self, text: str = "") -> None:
        super().__init__(text, markup=False)

    def show(self, text: str) -> None:
        """Show another text."""
        set_text(self, text)
