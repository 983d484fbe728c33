"""The table of all runs: its columns, its order, and which of the runs it shows."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import DataTable

from tui.formatting import clean
from tui.sources.run_summary import STATES, RunRow


@dataclass(frozen=True)
class Column:
    """A column of the table."""

    text: Callable[[RunRow], Text]
    value: Callable[[RunRow], Any]  # by which the runs are sorted; None: last
    descending: bool = False  # the order when it is first chosen


COLUMNS = {
    "run": Column(lambda row: Text(clean(row.run.name), "bold"), lambda row: row.run.name.lower()),
    "note": Column(lambda row: Text(clean(row.note)), lambda row: row.note.lower() or None),
    "state": Column(
        lambda row: Text(f"{STATES[row.state].mark} {row.state}"), lambda row: row.state
    ),
    "step": Column(
        lambda row: Text(f"{row.step:,}/{row.total_steps:,}", justify="right"),
        lambda row: row.step,
        descending=True,
    ),
    "best valid": Column(
        lambda row: Text(row.best_loss, justify="right"),
        lambda row: (row.kind, row.best.loss) if row.best else None,
    ),
    "model": Column(lambda row: Text(clean(row.model)), lambda row: row.model),
    "data set": Column(lambda row: Text(clean(row.data_set)), lambda row: row.data_set.lower()),
    "kind": Column(lambda row: Text(row.kind), lambda row: row.kind),
    "started": Column(
        lambda row: Text(row.started_at, "dim"), lambda row: row.key, descending=True
    ),
}


@dataclass(frozen=True)
class Order:
    """The column by which the runs are sorted, and the direction."""

    column: str = "started"  # a key of COLUMNS
    descending: bool = True

    def by(self, column: str) -> "Order":
        """Return the order by a column; by the same column again it is reversed."""
        if column == self.column:
            return Order(column, not self.descending)
        return Order(column, COLUMNS[column].descending)

    def sort(self, rows: Sequence[RunRow]) -> list[RunRow]:
        """Return the rows in order; those without a value are last."""
        value = COLUMNS[self.column].value
        known = [row for row in rows if value(row) is not None]
        known.sort(key=value, reverse=self.descending)
        return known + [row for row in rows if value(row) is None]


def matching(rows: Sequence[RunRow], words: str) -> list[RunRow]:
    """Return the rows that contain every one of the words, in any column and in any case."""

    def text(row: RunRow) -> str:
        return " ".join(column.text(row).plain for column in COLUMNS.values()).lower()

    return [row for row in rows if all(word in text(row) for word in words.lower().split())]


def table_csv(rows: Sequence[RunRow]) -> str:
    """Return the columns of the table as CSV, with a line for each row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([column.text(row).plain for column in COLUMNS.values()])
    return text.getvalue()


class RunTable(DataTable[Text]):
    """A row for each run; only changed cells are updated, so the cursor stays."""

    BINDING_GROUP_TITLE = "Table"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Attach", id="runs.attach",
                tooltip="Show the run on the Train page"),
    ]  # fmt: skip

    @dataclass
    class Marked(Message):
        """The mark of a run was clicked."""

        key: str

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, cursor_type="row", zebra_stripes=True)
        self._headers: list[str] = []
        self._shown: dict[str, list[Text]] = {}

    @property
    def current(self) -> str | None:
        """Return the key of the run under the cursor; None without one."""
        keys = list(self._shown)  # in an empty table the cursor may be at -1
        return keys[self.cursor_row] if 0 <= self.cursor_row < len(keys) else None

    def show(self, rows: Sequence[RunRow], marks: Mapping[str, Text], order: Order) -> None:
        """Show these runs, in order. marks: the symbols of the marked runs, by key."""
        names = [name for name in COLUMNS if name != "note" or any(row.note for row in rows)]
        new = {
            row.key: [
                marks.get(row.key, Text(" ")),
                *(COLUMNS[name].text(row) for name in names),
            ]
            for row in order.sort(rows)
        }
        arrow = "▼" if order.descending else "▲"
        headers = [f"{name} {arrow}" if name == order.column else name for name in names]
        if headers == self._headers and list(new) == list(self._shown):
            for key, cells in new.items():
                for name, before, after in zip(
                    ["mark", *names], self._shown[key], cells, strict=True
                ):
                    if before != after:
                        self.update_cell(key, name, after, update_width=True)
        else:
            self._rebuild(names, headers, new)
        self._shown, self._headers = new, headers

    def _rebuild(self, names: list[str], headers: list[str], new: dict[str, list[Text]]) -> None:
        current, row, scroll = self.current, self.cursor_row, self.scroll_offset
        if headers != self._headers:
            self.clear(columns=True)
            self.add_column("", key="mark")
            for name, header in zip(names, headers, strict=True):
                self.add_column(header, key=name)
        else:
            self.clear()
        for key, cells in new.items():
            self.add_row(*cells, key=key)
        if new:
            keys = list(new)
            row = keys.index(current) if current in new else min(max(row, 0), len(keys) - 1)
            self.move_cursor(row=row)
            self.scroll_to(scroll.x, scroll.y, animate=False)

    def on_click(self, event: events.Click) -> None:
        """Post `Marked` for a click on a mark, which does not move the cursor."""
        row = event.style.meta.get("row", -1)
        if event.style.meta.get("column") == 0 and 0 <= row < len(self._shown):
            event.prevent_default().stop()
            self.post_message(self.Marked(list(self._shown)[row]))
