"""The dialog with all settings of a new run: their values, meanings and ranges."""

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import DataTable, Input, Static

from engine import config
from engine.config import RunConfig
from engine.errors import InputError
from tui.formatting import clean
from tui.pages.train.new_run_values import meaning
from tui.widgets.footer import Footer
from tui.widgets.styling import StyledOnce


class SettingsDialog(StyledOnce, ModalScreen[dict[str, str]]):
    """A table of the settings of a run; returns those that were changed, as texts.

    base: the settings of the preset. changes: the texts of those changed before, by key.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "find", "Find", id="settings.find",
                tooltip="Show only settings with the words typed in their name or meaning"),
        Binding("backspace,delete", "reset", "Reset", id="settings.reset",
                tooltip="Give the setting back the preset's value"),
        Binding("escape", "close", "Close", id="settings.close",
                tooltip="Leave the field; then back to the form, with the changes"),
        Binding("f1", "app.help", "Help", show=False, id="settings.help",
                tooltip="Show all keys of this dialog"),
    ]  # fmt: skip
    AUTO_FOCUS = "DataTable"
    DEFAULT_CSS = """
    SettingsDialog {
        & .dialog { height: 90%; }
        & Input { padding: 0 1; background: $panel; margin-bottom: 1; }
        & Input:focus { background: $primary 30%; }
        & DataTable { height: 1fr; background: $surface; }
        & #meaning { height: auto; min-height: 2; margin: 1 0 0 0; color: $text-muted; }
        & #meaning.-wrong { color: $text-error; }
        & #value { margin-bottom: 0; display: none; }
        &.-editing #value { display: block; }
        &.-short Input { margin-bottom: 0; }
        &.-short #meaning { margin: 0; min-height: 1; max-height: 3; }
    }
    """

    def __init__(self, base: RunConfig, changes: dict[str, str]) -> None:
        super().__init__()
        self._base, self._changes = base, dict(changes)
        self._keys: list[str] = []  # of the shown settings

    def compose(self) -> ComposeResult:
        """Lay out a field to search, the table, the meaning, and a field for a value."""
        with Vertical(classes="dialog wide") as box:
            box.border_title = "Settings"
            box.border_subtitle = "enter changes the value"
            yield Input(placeholder="/ find a setting", id="find", compact=True)
            yield DataTable[Text](cursor_type="row", zebra_stripes=True)
            yield Static(id="meaning", markup=False)
            yield Input(id="value", compact=True)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Fill the table."""
        table = self.query_one(DataTable)
        for name in ("setting", "value", "default"):
            table.add_column(name)
        self._fill()

    @on(Input.Changed, "#find")
    def _fill(self) -> None:
        words = self.query_one("#find", Input).value.lower().split()
        table, row = self.query_one(DataTable), self.query_one(DataTable).cursor_row
        self._keys = [
            key
            for key, setting in config.settings().items()
            if setting.kind in (None, self._base.kind)
            and key != "data.source"  # a field of the form
            and all(word in f"{key} {setting.help}".lower() for word in words)
        ]
        table.clear()
        for key in self._keys:
            value, default = self._value(key), config.settings()[key].default_text
            style = "bold" if key in self._changes else "" if value != default else "dim"
            table.add_row(Text(key, style), Text(clean(value), style), Text(default, "dim"))
        table.move_cursor(row=min(max(row, 0), max(0, len(self._keys) - 1)))

    def _value(self, key: str) -> str:
        """Return the value of a setting, in the form that `--set` accepts."""
        if key in self._changes:
            return self._changes[key]
        setting = config.settings()[key]
        value = getattr(getattr(self._base, setting.table), setting.name)
        if isinstance(value, bool):
            return str(value).lower()
        return ",".join(value) if isinstance(value, tuple) else str(value)

    @property
    def _key(self) -> str | None:
        """The key of the setting under the cursor."""
        row = self.query_one(DataTable).cursor_row
        return self._keys[row] if 0 <= row < len(self._keys) else None

    def on_data_table_row_highlighted(self) -> None:
        """Explain the setting under the cursor."""
        self._explain(meaning(self._key) if self._key else "No setting has these words.")

    def _explain(self, sentence: str, wrong: bool = False) -> None:
        line = self.query_one("#meaning", Static)
        line.update(clean(sentence))
        line.set_class(wrong, "-wrong")

    def on_data_table_row_selected(self) -> None:
        """Edit the value of the setting under the cursor."""
        if self._key is not None:
            self.add_class("-editing")
            field = self.query_one("#value", Input)
            field.value = self._value(self._key)
            field.focus()

    @on(Input.Submitted, "#value")
    def _submitted(self, event: Input.Submitted) -> None:
        key = self._key
        assert key is not None
        try:
            config.settings()[key].convert(event.value.strip())
        except InputError as error:
            self._explain(f"✗ {error}", wrong=True)
            return
        self._changes[key] = event.value.strip()
        self._leave_field()

    @on(Input.Submitted, "#find")
    def _leave_field(self) -> None:
        self.remove_class("-editing")
        self._fill()
        self.query_one(DataTable).focus()

    def action_find(self) -> None:
        """Go to the field that searches."""
        self.query_one("#find").focus()

    def action_reset(self) -> None:
        """Give the setting under the cursor back the preset's value."""
        if self._key is not None:
            self._changes.pop(self._key, None)
            self._fill()

    def action_close(self) -> None:
        """Leave the field, or close the dialog."""
        if isinstance(self.focused, Input):
            self._leave_field()
        else:
            self.dismiss(self._changes)
