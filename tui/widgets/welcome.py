"""The text that replaces a page with nothing to show yet."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static


class Welcome(Vertical):
    """A text in the middle of a page, which is hidden until the page shows it."""

    DEFAULT_CSS = """
    Welcome {
        display: none; align: center middle; height: 1fr; padding: 1 2;
        & Static { width: auto; max-width: 100%; }
    }
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        """Yield the text."""
        yield Static(self._text)
