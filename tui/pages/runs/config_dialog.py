"""The dialog with the settings of a run, or of several runs side by side."""

from collections.abc import Sequence
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import DataTable, Static

from engine import config
from engine.config import RunConfig
from engine.errors import InputError
from engine.runs.run_dir import RunDir
from tui.formatting import NOTHING, clean
from tui.widgets.footer import Footer
from tui.widgets.styling import StyledOnce

_MAX_VALUE = 40  # characters of a value that the table shows


class ConfigDialog(StyledOnce, ModalScreen[None]):
    """A table with a row for each setting and a column for each run.

    Of several runs it shows at first only the settings in which they differ. A value that is not
    the default is bold.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "show_all", "All / changed", id="config.toggle",
                tooltip="Show all settings, or only those that differ"),
        Binding("c", "copy", "Copy", id="config.copy",
                tooltip="Copy the shown settings as lines of key=value"),
        Binding("escape", "dismiss", "Close", key_display="esc", id="config.close",
                tooltip="Back to the runs"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    ConfigDialog {
        & .dialog { width: 96%; height: 90%; }
        & DataTable { height: 1fr; background: $surface; }
        & #meaning { height: auto; min-height: 2; margin-top: 1; color: $text-muted; }
        &.-short #meaning { min-height: 1; margin-top: 0; }
    }
    """

    def __init__(self, runs: Sequence[RunDir]) -> None:
        super().__init__()
        self._runs: list[RunDir] = []
        self._configs: list[RunConfig] = []
        self._problems: list[str] = []
        for run in runs:
            try:
                self._configs.append(run.config())
                self._runs.append(run)
            except InputError as error:
                self._problems.append(str(error))
        self._changed_only = len(self._runs) > 1
        self._rows: list[str] = []  # the keys of the shown settings

    def compose(self) -> ComposeResult:
        """Lay out the table, and a line about the setting under the cursor."""
        with Vertical(classes="dialog wide"):
            yield DataTable[Text](cursor_type="row", zebra_stripes=True)
            yield Static(id="meaning", markup=False)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Fill the table."""
        table = self.query_one(DataTable)
        table.add_column("setting")
        for run in self._runs:
            table.add_column(clean(run.name))
        if len(self._runs) == 1:
            table.add_column("default")
        self._fill()

    def _values(self, key: str) -> list[Any]:
        """Return the values of a setting, one for each run."""
        if key == "kind":
            return [one.kind for one in self._configs]
        setting = config.settings()[key]
        return [getattr(getattr(one, setting.table), setting.name) for one in self._configs]

    def _is_shown(self, key: str) -> bool:
        values = self._values(key)
        if not self._changed_only:
            return True
        if len(values) == 1:
            return bool(values[0] != _default(key))
        return any(value != values[0] for value in values)

    def _fill(self) -> None:
        keys = ["kind", *config.settings()] if self._configs else []
        self._rows = [key for key in keys if self._is_shown(key)]
        table = self.query_one(DataTable)
        table.clear()
        for key in self._rows:
            default = _default(key)
            cells = [
                Text(_value_text(value), "bold" if value != default else "")
                for value in self._values(key)
            ]
            if len(self._runs) == 1:
                cells.append(Text(_value_text(default), "dim"))
            table.add_row(Text(key), *cells)
        several = len(self._runs) > 1
        changed = "settings that differ" if several else "settings other than the default"
        what = changed if self._changed_only else "all settings"
        self.query_one(Vertical).border_title = f"Configuration · {what}"
        if not self._rows:
            same = "The settings are equal." if several else "All settings are the defaults."
            self._explain(same if self._configs else "")

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Explain the setting under the cursor."""
        if 0 <= event.cursor_row < len(self._rows):
            setting = config.settings().get(self._rows[event.cursor_row])
            words = f"{setting.help} Allowed: {setting.values}." if setting else "Lyrics or music."
            self._explain(words)

    def _explain(self, sentence: str) -> None:
        self.query_one("#meaning", Static).update(clean("\n".join([*self._problems, sentence])))

    def action_show_all(self) -> None:
        """Show all settings, or only those that differ."""
        self._changed_only = not self._changed_only
        self._fill()

    def action_copy(self) -> None:
        """Copy the shown settings."""
        lines = []
        for run, number in zip(self._runs, range(len(self._runs)), strict=True):
            lines += [f"# {run.name}"] if len(self._runs) > 1 else []
            lines += [f"{key}={_value_text(self._values(key)[number], 0)}" for key in self._rows]
        self.app.copy_to_clipboard("\n".join(lines))
        self.notify(f"Copied {len(self._rows)} settings.")


def _default(key: str) -> Any:
    return RunConfig().kind if key == "kind" else config.settings()[key].default


def _value_text(value: object, limit: int = _MAX_VALUE) -> str:
    """Return a value in the form that `--set` accepts, cut to `limit` characters if above 0."""
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, tuple):
        text = ",".join(map(str, value))
    else:
        text = f"{value:g}" if isinstance(value, float) else str(value)
    if limit and len(text) > limit:
        text = text[: limit - 1] + "…"
    return clean(text) or (NOTHING if limit else "")
