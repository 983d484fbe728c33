"""The table of all runs."""

from collections.abc import Mapping
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import DataTable

from tui.formatting import NOTHING, clean
from tui.sources.run_summary import STATES, RunRow

COLUMNS = ("", "run", "state", "step", "best valid", "model", "data set", "kind", "started")


class RunTable(DataTable[Text]):
    """A row for each run, newest first; only changed cells are updated, so the cursor stays."""

    BINDING_GROUP_TITLE = "Table"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Attach", id="runs.attach",
                tooltip="Show the run on the Train page"),
    ]  # fmt: skip

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, cursor_type="row", zebra_stripes=True)
        self._shown: dict[str, list[Text]] = {}

    def on_mount(self) -> None:
        """Add the columns."""
        for name in COLUMNS:
            self.add_column(name, key=name or "mark")

    @property
    def current(self) -> str | None:
        """Return the key of the run under the cursor; None without one."""
        keys = list(self._shown)  # in an empty table the cursor may be at -1
        return keys[self.cursor_row] if 0 <= self.cursor_row < len(keys) else None

    def show(self, rows: tuple[RunRow, ...], marks: Mapping[str, Text]) -> None:
        """Show these runs. marks: the symbols of the marked runs, by key."""
        new = {row.key: _cells(row, marks.get(row.key, Text(" "))) for row in rows}
        if list(new) != list(self._shown):
            current, scroll = self.current, self.scroll_y
            self.clear()
            for key, cells in new.items():
                self.add_row(*cells, key=key)
            if current in new:
                self.move_cursor(row=list(new).index(current))
                self.scroll_to(y=scroll, animate=False)
        else:
            for key, cells in new.items():
                for name, before, after in zip(COLUMNS, self._shown[key], cells, strict=True):
                    if before != after:
                        self.update_cell(key, name or "mark", after, update_width=True)
        self._shown = new


def _cells(row: RunRow, mark: Text) -> list[Text]:
    best = NOTHING if row.best_bits is None else f"{row.best_bits:.3f} bits"
    return [
        mark,
        Text(clean(row.run.name), "bold"),
        Text(f"{STATES[row.state].mark} {row.state}"),
        Text(f"{row.step:,}/{row.total_steps:,}", justify="right"),
        Text(best, justify="right"),
        Text(clean(row.model)),
        Text(clean(row.data_set)),
        Text(row.kind),
        Text(row.started_at, "dim"),
    ]
