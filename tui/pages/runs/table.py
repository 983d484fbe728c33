"""The table of all runs, changed cell by cell so that the cursor stays where it is."""

from collections.abc import Mapping
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import DataTable

from tui.formatting import NOTHING, clean
from tui.sources.run_view import STATES, TABLE_COLUMNS, RunRow


class RunTable(DataTable[Text]):
    """One line a run, the newest first."""

    BINDING_GROUP_TITLE = "Table"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Attach", id="runs.attach",
                tooltip="Show the run on the Train page"),
    ]  # fmt: skip

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, cursor_type="row", zebra_stripes=True)
        self._shown: dict[str, list[Text]] = {}

    def on_mount(self) -> None:
        """Make the columns."""
        for name in TABLE_COLUMNS:
            self.add_column(name, key=name or "mark")

    @property
    def current(self) -> str | None:
        """The key of the row under the cursor."""
        keys = list(self._shown)  # without rows the cursor may be at -1
        return keys[self.cursor_row] if 0 <= self.cursor_row < len(keys) else None

    def show(self, rows: tuple[RunRow, ...], marks: Mapping[str, Text]) -> None:
        """Show these runs; marks: what stands in front of those that are compared."""
        wanted = {row.key: _cells(row, marks.get(row.key, Text(" "))) for row in rows}
        if list(wanted) != list(self._shown):
            current, scroll = self.current, self.scroll_y
            self.clear()
            for key, cells in wanted.items():
                self.add_row(*cells, key=key)
            if current in wanted:
                self.move_cursor(row=list(wanted).index(current))
                self.scroll_to(y=scroll, animate=False)
        else:
            for key, cells in wanted.items():
                for name, old, new in zip(TABLE_COLUMNS, self._shown[key], cells, strict=True):
                    if old != new:
                        self.update_cell(key, name or "mark", new, update_width=True)
        self._shown = wanted


def _cells(row: RunRow, mark: Text) -> list[Text]:
    best = NOTHING if row.best is None else f"{row.best:.3f} bits"
    return [
        mark,
        Text(clean(row.run.name), "bold"),
        Text(f"{STATES[row.state][0]} {row.state}"),
        Text(f"{row.step:,}/{row.steps:,}", justify="right"),
        Text(best, justify="right"),
        Text(clean(row.model)),
        Text(clean(row.corpus)),
        Text(row.kind),
        Text(row.started_at, "dim"),
    ]
