"""The metrics of a run as tiles with sparklines, and its progress as a bar."""

from textual.app import ComposeResult
from textual.containers import Container, Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Sparkline, Static

from tui.formatting import progress_bar
from tui.sources.run_summary import Metric

_MIN_TREND = 5  # values of a sparkline; two or three would look like a progress bar


class MetricTile(Vertical):
    """A metric: its name and value, a note, and a sparkline."""

    DEFAULT_CSS = """
    MetricTile {
        height: auto;
        padding: 0 0 0 1;
        .top { height: auto; }
        .label { width: 1fr; color: $foreground 60%; text-wrap: nowrap; text-overflow: ellipsis; }
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

    def show(self, metric: Metric) -> None:
        """Show a metric."""
        for name, text in (("label", metric.label), ("value", metric.value), ("note", metric.note)):
            self.query_one(f".{name}", Static).update(text)
        sparkline = self.query_one(Sparkline)
        sparkline.visible = len(metric.trend) >= _MIN_TREND
        sparkline.data = metric.trend


class MetricTiles(Horizontal):
    """The six tiles of `tui.sources.run_summary.metrics`."""

    DEFAULT_CSS = """
    MetricTiles { height: auto; layout: grid; grid-size: 6; grid-rows: auto; }
    """

    def compose(self) -> ComposeResult:
        """Lay out empty tiles."""
        for _ in range(6):
            yield MetricTile()

    def show(self, metrics: tuple[Metric, ...]) -> None:
        """Show a metric in each tile."""
        for tile, metric in zip(self.query(MetricTile), metrics, strict=True):
            tile.show(metric)


class ProgressLine(Widget):
    """One line: a bar, and the progress in words."""

    DEFAULT_CSS = """
    ProgressLine { height: 1; padding: 0 1; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._fraction, self._text = 0.0, ""

    def show(self, fraction: float, text: str) -> None:
        """Show a bar for the fraction that is done (0 to 1), and a text."""
        self._fraction, self._text = fraction, text
        self.refresh()

    def render(self) -> Content:
        """Return the bar and the text, or only the text where there is no room for a bar."""
        room = self.size.width - len(self._text) - 2
        if room < 8:
            return Content(self._text)
        bar = progress_bar(self._fraction, room)
        split = len(bar.rstrip("─"))
        return Content.assemble(
            (bar[:split], "$primary"), (bar[split:], "$foreground 20%"), "  ", self._text
        )
