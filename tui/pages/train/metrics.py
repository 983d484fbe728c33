"""A run's figures: one tile each, with its course so far; and how much of the run is done."""

from textual.app import ComposeResult
from textual.containers import Container, Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Sparkline, Static

from tui.formatting import progress_bar
from tui.sources.run_view import Metric


class MetricTile(Vertical):
    """One figure: its name and value, a remark, and a sparkline."""

    DEFAULT_CSS = """
    MetricTile {
        height: auto;
        padding: 0 0 0 1;
        .top { height: auto; }
        .label { width: 11; color: $foreground 60%; }
        .value { width: 1fr; text-style: bold; text-wrap: nowrap; text-overflow: ellipsis; }
        .note { color: $foreground 60%; text-wrap: nowrap; text-overflow: ellipsis; }
        Sparkline { height: 1; }
    }
    """

    def compose(self) -> ComposeResult:
        """Lay out the tile."""
        with Container(classes="top"):
            yield Static(classes="label", markup=False)
            yield Static(classes="value", markup=False)
        yield Static(classes="note", markup=False)
        yield Sparkline()

    def show(self, figure: Metric) -> None:
        """Show a figure."""
        for name, text in (("label", figure.label), ("value", figure.value), ("note", figure.note)):
            self.query_one(f".{name}", Static).update(text)
        sparkline = self.query_one(Sparkline)
        sparkline.visible = len(figure.trend) > 1
        sparkline.data = figure.trend


class MetricTiles(Horizontal):
    """The six tiles of `tui.sources.run_view.figures`."""

    DEFAULT_CSS = """
    MetricTiles { height: auto; layout: grid; grid-size: 6; grid-rows: auto; }
    """

    def compose(self) -> ComposeResult:
        """Lay out empty tiles."""
        for _ in range(6):
            yield MetricTile()

    def show(self, figures: tuple[Metric, ...]) -> None:
        """Show a figure in each tile."""
        for tile, figure in zip(self.query(MetricTile), figures, strict=True):
            tile.show(figure)


class ProgressLine(Widget):
    """One line: a bar, and in words how far the run is."""

    DEFAULT_CSS = """
    ProgressLine { height: 1; padding: 0 1; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._share, self._words = 0.0, ""

    def show(self, share: float, words: str) -> None:
        """Show that `share`, 0 to 1, is done, and say it in words."""
        self._share, self._words = share, words
        self.refresh()

    def render(self) -> Content:
        """The bar takes what the words leave, or is left out."""
        room = self.size.width - len(self._words) - 2
        if room < 8:
            return Content(self._words)
        filled = progress_bar(self._share, room)
        split = len(filled.rstrip("─"))
        return Content.assemble(
            (filled[:split], "$primary"), (filled[split:], "$foreground 20%"), "  ", self._words
        )
