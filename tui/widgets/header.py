"""The line on top of every page: where you are, where you can go, what is being trained."""

from collections.abc import Mapping

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static


class PageHeader(Horizontal):
    """The pages with their keys, the current one marked; on the right the attached run.

    pages: for each mode, in order, its name for people; the n-th is reached by the digit n.
    """

    DEFAULT_CSS = """
    PageHeader {
        dock: top;
        height: 1;
        background: $panel;
        #brand { width: auto; padding: 0 1; color: $text-primary; text-style: bold; }
        #tabs { width: auto; link-style: none; link-style-hover: underline;
                link-background-hover: $panel; link-color-hover: $foreground; }
        #attached { width: 1fr; padding: 0 1; text-align: right; text-wrap: nowrap;
                    text-overflow: ellipsis; }
    }
    """

    def __init__(self, pages: Mapping[str, str], current: str) -> None:
        super().__init__()
        self._pages = pages
        self._current = current

    def compose(self) -> ComposeResult:
        """Lay out the line."""
        yield Static("♪ rnn-tui", id="brand", markup=False)
        yield Static(id="tabs")
        yield Static(id="attached", markup=False)

    def on_resize(self) -> None:
        """Set the tabs closer where they would not all fit."""
        tabs = self._tabs(" ")
        if tabs.cell_length > self.size.width:
            tabs = self._tabs("")
        self.query_one("#tabs", Static).update(tabs)

    def _tabs(self, pad: str) -> Content:
        tabs = []
        for number, (mode, name) in enumerate(self._pages.items(), start=1):
            words = f"{pad}{number} {name}{pad}"
            tabs.append(_tab(f"app.page({mode!r})", words, mode == self._current))
        tabs.append(_tab("app.help", f"{pad}? Keys{pad}" if pad else "?", False))
        return Content(" ").join(tabs)

    def show(self, attached: Content) -> None:
        """Say which run is attached, and how it is."""
        self.query_one("#attached", Static).update(attached)


def _tab(action: str, words: str, current: bool) -> Content:
    style = "bold reverse" if current else "$foreground 70%"
    return Content.from_markup(f"[@click={action}][{style}]$words[/][/]", words=words)
