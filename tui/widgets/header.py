"""The line at the top of every page: tabs for all pages, and the attached run."""

from collections.abc import Mapping

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

_BRAND = "♪ rnn-tui"
_MIN_ATTACHED = 20  # the fewest cells for the attached run
# Layouts from wide to narrow: whether to show the brand, the blanks around each tab, and whether to
# show the names of all pages or only that of the current one.
_LAYOUTS = ((True, " ", True), (True, "", True), (False, "", True), (False, "", False))


class PageHeader(Horizontal):
    """Tabs with the keys and names of the pages, and on the right the attached run.

    pages: the key and the name of each page by its mode, in order. current: the mode of this page.
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
        """Choose the widest layout that fits."""
        for brand, pad, names in _LAYOUTS:
            tabs = self._tabs(pad, names)
            if tabs.cell_length + brand * (len(_BRAND) + 2) + _MIN_ATTACHED <= self.size.width:
                break
        self._brand.display = brand
        self.query_one("#tabs", Static).update(tabs)

    def _tabs(self, pad: str, names: bool) -> Content:
        tabs = []
        for mode, (key, name) in self._pages.items():
            current = mode == self._current
            text = f"{key} {name}" if names or current else key
            tabs.append(_tab(f"app.page({mode!r})", f"{pad}{text}{pad}", current))
        tabs.append(_tab("app.help", f"{pad}? Keys{pad}" if pad else "?", False))
        return Content(" ").join(tabs)

    def show(self, attached: Content) -> None:
        """Show the attached run."""
        self.query_one("#attached", Static).update(attached)


def _tab(action: str, text: str, current: bool) -> Content:
    style = "bold reverse" if current else "$foreground 70%"
    return Content.from_markup(f"[@click={action}][{style}]$text[/][/]", text=text)
