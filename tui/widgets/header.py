"""The line on top of every page: where you are, where you can go, what is being trained."""

from collections.abc import Mapping

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

_BRAND = "♪ rnn-tui"
_ATTACHED = 20  # cells that the attached run is to have where there are tabs that leave them
# How the line is laid out, the roomiest first: with the brand or not, blanks around each tab, and
# the names of all pages or only that of the current one.
_LAYOUTS = ((True, " ", True), (True, "", True), (False, "", True), (False, "", False))


class PageHeader(Horizontal):
    """The pages with their keys, the current one marked; on the right the attached run.

    pages: for each mode, in order, the digit that leads there and its name for people.
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

    def __init__(self, pages: Mapping[str, tuple[str, str]], current: str) -> None:
        super().__init__()
        self._pages = pages
        self._current = current
        self._brand = Static(_BRAND, id="brand", markup=False)

    def compose(self) -> ComposeResult:
        """Lay out the line."""
        yield self._brand
        yield Static(id="tabs")
        yield Static(id="attached", markup=False)

    def on_resize(self) -> None:
        """Set the tabs closer where they would not all fit, and leave out what does not."""
        for brand, pad, names in _LAYOUTS:
            tabs = self._tabs(pad, names)
            if tabs.cell_length + brand * (len(_BRAND) + 2) + _ATTACHED <= self.size.width:
                break
        self._brand.display = brand
        self.query_one("#tabs", Static).update(tabs)

    def _tabs(self, pad: str, names: bool) -> Content:
        tabs = []
        for mode, (digit, name) in self._pages.items():
            current = mode == self._current
            words = f"{digit} {name}" if names or current else digit
            tabs.append(_tab(f"app.page({mode!r})", f"{pad}{words}{pad}", current))
        tabs.append(_tab("app.help", f"{pad}? Keys{pad}" if pad else "?", False))
        return Content(" ").join(tabs)

    def show(self, attached: Content) -> None:
        """Say which run is attached, and how it is."""
        self.query_one("#attached", Static).update(attached)


def _tab(action: str, words: str, current: bool) -> Content:
    style = "bold reverse" if current else "$foreground 70%"
    return Content.from_markup(f"[@click={action}][{style}]$words[/][/]", words=words)
