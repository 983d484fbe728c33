"""The dialog with the form that starts a training run."""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.suggester import Suggester
from textual.widgets import Button, Input, Select, Static, TextArea

from engine import paths
from engine.config import Kind, load
from engine.errors import InputError, WorkError
from engine.runs import run_dir
from engine.runs.run_dir import RunDir
from tui.formatting import clean
from tui.pages.train import new_run_values
from tui.pages.train.estimate import Speed, estimate, measured_speeds
from tui.pages.train.new_run_values import Form
from tui.pages.train.settings_dialog import SettingsDialog
from tui.sources import command_runner, system
from tui.sources.child_commands import INSTALLED, Programs
from tui.widgets.footer import Footer
from tui.widgets.styling import StyledOnce

# The fields from top to bottom, each with its label.
FIELDS = {
    "kind": "Kind",
    "data": "Data set",
    "preset": "Preset",
    "name": "Name",
    "steps": "Steps",
    "settings": "Settings",
}
_PLACEHOLDERS = {
    "data": "name of a data set, or a path",
    "name": "blank: named for you",
    "steps": "blank: the preset's default",
}


@dataclass(frozen=True)
class DataSet:
    """A data set with a name."""

    kind: Kind
    about: str
    here: bool = True  # whether it is included or downloaded
    size: int | None = None  # bytes of the download, if known
    license: str = ""

    @property
    def hint(self) -> str:
        """What it is, and how to download it if it is not here."""
        if self.here:
            return self.about
        size = "" if self.size is None else f"{self.size / 1e6:.1f} MB, "
        return f"{self.about}. Not downloaded yet ({size}licence {self.license}): press f4."


@dataclass
class SuggestionsRead(Message):
    """The names of runs and models that are taken, the data sets to suggest, and known speeds."""

    taken: set[str] | None = None
    data_sets: dict[str, DataSet] | None = None
    speeds: dict[tuple[object, ...], Speed] | None = None
    gpu: bool = False  # whether this machine has one


@dataclass
class StatusChanged(Message):
    """A new status line about the command that starts the run."""

    sentence: str
    is_error: bool = False


@dataclass
class Downloaded(Message):
    """A data set was downloaded."""

    name: str


@dataclass
class RunCreated(Message):
    """The run was started."""

    run: RunDir


class SourceSuggester(Suggester):
    """A suggester that completes the name of a data set, or a path."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self.names: list[str] = []

    async def get_suggestion(self, value: str) -> str | None:
        """Return the first completion; None without any."""
        for name in self.names:
            if name.startswith(value):
                return name
        return await asyncio.to_thread(_complete_path, value)


def _complete_path(value: str) -> str | None:
    folder, slash, start = value.rpartition("/")
    try:
        entries = sorted(Path(f"{folder}{slash}" or ".").expanduser().iterdir())
    except OSError:
        return None
    for entry in entries:
        if start and entry.name.startswith(start):
            return f"{folder}{slash}{entry.name}{'/' if entry.is_dir() else ''}"
    return None


class DataField(Input):
    """The field of the data set; up and down choose another one with a name."""

    BINDING_GROUP_TITLE = "Data set"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)", "Previous", show=False, id="new_run.previous_data",
                tooltip="Choose the previous data set"),
        Binding("down", "choose(1)", "Next", show=False, id="new_run.next_data",
                tooltip="Choose the next data set"),
    ]  # fmt: skip

    def action_choose(self, steps: int) -> None:
        """Choose the data set `steps` further on."""
        assert isinstance(self.suggester, SourceSuggester)
        if names := self.suggester.names:
            index = names.index(self.value) + steps if self.value in names else 0
            self.value = names[index % len(names)]


class NewRunDialog(StyledOnce, ModalScreen[RunDir | None]):
    """The dialog for a new run; returns the run that it started, or None if it was closed.

    If starting fails, the form stays open with its values.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "start", "Start", id="new_run.start", tooltip="Start the run"),
        Binding("f3", "settings", "Settings", id="new_run.settings",
                tooltip="Show all settings with their meanings and ranges, and change them"),
        Binding("f4", "download", "Download", id="new_run.download",
                tooltip="Download the data set"),
        Binding("escape", "close", "Close", id="new_run.close",
                tooltip="Close without a run; cancels one that is being prepared"),
        Binding("f1", "app.help", "Help", id="new_run.help", tooltip="Show all keys of this form"),
    ]  # fmt: skip
    AUTO_FOCUS = "#data"
    DEFAULT_CSS = """
    NewRunDialog {
        & .field { height: auto; }
        & .label { width: 10; color: $foreground 70%; }
        & .field > Input, & .field > Select, & .field > TextArea { width: 1fr; }
        & Input, & TextArea, & Select > SelectCurrent { background: $panel; padding: 0 1; }
        & Input:focus, & TextArea:focus, & Select:focus > SelectCurrent {
            background: $primary 30%;
        }
        & .label { padding-right: 1; }
        & TextArea { height: 3; }
        & .note { padding-left: 10; color: $foreground 60%; display: none; }
        & .note.-wrong, & #status.-wrong { color: $text-error; }
        & #summary { margin-top: 1; padding-left: 10; text-style: bold; }
        & #estimate { padding-left: 10; color: $foreground 70%; }
        & #download { display: none; }
        &.-missing #download { display: block; }
        & .buttons { padding-left: 10; }
        & #status { padding-left: 10; margin-top: 1; display: none; }
        &.-short .buttons, &.-short #summary { margin-top: 0; }
        &.-narrow .note, &.-narrow #summary, &.-narrow #estimate, &.-narrow .buttons,
        &.-narrow #status {
            padding-left: 0;
        }
    }
    """

    def __init__(self, programs: Programs = INSTALLED) -> None:
        super().__init__()
        self.programs = programs
        self._taken: set[str] = set()
        self._suggested_name = ""  # the name that the form itself has filled in
        self._data_sets: dict[str, DataSet] = {}
        self._presets = {preset.name: preset for preset in new_run_values.presets()}
        self._presets_kind: Kind = "lyrics"  # of the presets that are offered
        self._suggested_preset: str | None = None  # the preset that the form has chosen
        self._speeds: dict[tuple[object, ...], Speed] = {}
        self._gpu = False
        self._suggester = SourceSuggester()

    def compose(self) -> ComposeResult:
        """Lay out the fields, each with a line for hints and errors."""
        with VerticalScroll(classes="dialog wide") as box:
            box.border_title = "New run"
            box.can_focus = False
            for field, label in FIELDS.items():
                with Horizontal(classes="field"):
                    yield Static(label, classes="label")
                    yield self._input(field)
                yield Static(id=f"{field}-note", classes="note", markup=False)
            yield Static(id="summary", markup=False)
            yield Static(id="estimate", markup=False)
            with Horizontal(classes="buttons"):
                yield Button("Start", id="start", variant="primary", compact=True)
                yield Button("Settings", id="all-settings", compact=True)
                yield Button("Download", id="download", compact=True)
                yield Button("Close", id="close", compact=True)
            yield Static(id="status", markup=False)
        yield Footer(show_command_palette=False)

    def _input(self, field: str) -> Input | Select[str] | TextArea:
        if field == "kind":
            kinds = [(kind, kind) for kind in new_run_values.SOURCES]
            return Select(kinds, allow_blank=False, id=field, compact=True)
        if field == "preset":
            kind: Kind = "lyrics"
            self._suggested_preset = new_run_values.suggested_preset(kind, "", ())
            return Select(
                self._preset_options(kind),
                prompt="default settings",
                value=self._suggested_preset or Select.NULL,
                id=field,
                compact=True,
            )
        if field == "settings":
            area = TextArea(id=field, compact=True, show_line_numbers=False)
            area.placeholder = "lines of key=value; f3 lists all settings"
            return area
        placeholder = _PLACEHOLDERS[field]
        if field == "data":
            data = new_run_values.DATA_SETS["lyrics"]
            return DataField(
                data, placeholder=placeholder, suggester=self._suggester, id=field, compact=True
            )
        return Input(placeholder=placeholder, id=field, compact=True)

    def _preset_options(self, kind: Kind) -> list[tuple[str, str]]:
        presets = self._presets.values()
        return [(one.label, one.name) for one in presets if one.kind in (None, kind)]

    @property
    def form(self) -> Form:
        """Return the values of the fields."""
        preset: Any = self.query_one("#preset", Select).value
        kind: Any = self.query_one("#kind", Select).value
        return Form(
            kind=kind,
            data=self.query_one("#data", Input).value,
            preset=preset if isinstance(preset, str) else None,
            name=self.query_one("#name", Input).value,
            steps=self.query_one("#steps", Input).value,
            settings=self.query_one("#settings", TextArea).text,
        )

    # ── suggestions ──────────────────────────────────────────────────────────────────────────────

    def on_mount(self) -> None:
        """Start to read the suggestions."""
        self._read_suggestions()
        self._check()

    @work
    async def _read_suggestions(self) -> None:
        taken = {run.name for run in await asyncio.to_thread(run_dir.list_runs)}
        taken |= {folder.name for folder in paths.models().iterdir()}
        self.post_message(SuggestionsRead(taken=taken))
        speeds, gpus = await asyncio.to_thread(lambda: (measured_speeds(), system.gpus()))
        self.post_message(SuggestionsRead(speeds=speeds, gpu=bool(gpus)))
        try:
            rows = await command_runner.run(self.programs.cli, "data", "list", "--json")
        except WorkError:
            return  # the form works without suggestions: a path can be typed
        data_sets = {
            str(row["name"]): DataSet(
                row["kind"],
                str(row.get("about", "")),
                bool(row.get("here", True)),
                row.get("size"),
                str(row.get("licence", "")),
            )
            for row in rows
            if "name" in row and row.get("kind") in new_run_values.SOURCES
        }
        self.post_message(SuggestionsRead(data_sets=data_sets))

    def on_suggestions_read(self, event: SuggestionsRead) -> None:
        """Suggest the names that were read."""
        if event.taken is not None:
            self._taken = event.taken
            self._suggest_name()
        if event.speeds is not None:
            self._speeds, self._gpu = event.speeds, event.gpu
        if event.data_sets is not None:
            self._data_sets = event.data_sets
            self._suggester.names = list(event.data_sets)
        self._check()

    def _suggest_name(self) -> None:
        """Name the run after its preset, unless the user has named it."""
        field = self.query_one("#name", Input)
        if field.value == self._suggested_name:
            name = self.form.preset or "run"
            self._suggested_name = new_run_values.free_name(name, self._taken)
            field.value = self._suggested_name

    # ── checks ───────────────────────────────────────────────────────────────────────────────────

    @on(Input.Changed)
    @on(TextArea.Changed)
    @on(Select.Changed, "#kind")
    def _on_changed(self) -> None:
        if not self._is_starting:
            self.query_one("#status", Static).display = False  # it was about older values
        self._check()

    @on(Select.Changed, "#kind")
    def _on_kind_changed(self) -> None:
        """Offer the presets of the kind, and its own songs if the data set is of the other kind."""
        form, data = self.form, self.query_one("#data", Input)
        data_set = self._data_sets.get(form.data.strip())
        if (data_set and data_set.kind != form.kind) or form.data in (
            name for kind, name in new_run_values.DATA_SETS.items() if kind != form.kind
        ):
            data.value = new_run_values.DATA_SETS[form.kind]
        self._suggest_preset()

    @on(Input.Changed, "#data")
    def _on_data_changed(self, event: Input.Changed) -> None:
        if data_set := self._data_sets.get(event.value.strip()):
            self.query_one("#kind", Select).value = data_set.kind
        self._suggest_preset()

    def _suggest_preset(self) -> None:
        """Choose the preset for the data, unless the user has chosen one."""
        form, select = self.form, self.query_one("#preset", Select)
        if form.kind != self._presets_kind:
            self._presets_kind = form.kind
            chosen = self._presets.get(form.preset or "")
            with self.prevent(Select.Changed):
                select.set_options(self._preset_options(form.kind))
                if chosen and chosen.kind in (None, form.kind):
                    select.value = chosen.name
                else:
                    self._suggested_preset = None
        if self.form.preset == self._suggested_preset:
            preset = new_run_values.suggested_preset(form.kind, form.data, self._data_sets)
            self._suggested_preset = preset
            select.value = preset or Select.NULL

    @on(Select.Changed, "#preset")
    def _on_preset_changed(self) -> None:
        self._suggest_name()
        self._check()

    def _check(self, complete: bool = False) -> bool:
        """Show hints and problems; return whether the form is correct.

        complete: count missing values as problems, too.
        """
        form = self.form
        checked = new_run_values.check(form)
        problems = dict(checked.problems)
        if form.name.strip() in self._taken:
            problems["name"] = f"The name {form.name.strip()!r} is taken; choose another."
        if complete and checked.config is not None:
            problems |= new_run_values.missing(checked.config)
        data_set = self._data_sets.get(form.data.strip())
        missing = data_set is not None and not data_set.here
        self.set_class(missing, "-missing")
        if complete and missing:
            problems["data"] = f"{form.data.strip()} is not downloaded yet: press f4."
        hints = self._hints(form)
        if self._is_typing_key:
            problems.pop("settings", None)
        for field in FIELDS:
            note = self.query_one(f"#{field}-note", Static)
            problem = problems.get(field)
            note.set_class(problem is not None, "-wrong")
            note.update(clean(f"✗ {problem}" if problem else hints.get(field, "")))
            note.display = bool(problem or hints.get(field))
        config = checked.config
        summary = self.query_one("#summary", Static)
        summary.update(new_run_values.summary(config) if config else "")
        summary.display = config is not None
        words = estimate(config, self._speeds, self._gpu) if config else ""
        self.query_one("#estimate", Static).update(words)
        return not problems and config is not None

    @property
    def _settings_line(self) -> str:
        """The line of settings that has the cursor."""
        area = self.query_one("#settings", TextArea)
        return str(area.document.get_line(area.cursor_location[0]))

    @property
    def _is_typing_key(self) -> bool:
        line = self._settings_line
        return "=" not in line and bool(new_run_values.matching_keys(line))

    def _hints(self, form: Form) -> dict[str, str]:
        line = self._settings_line
        data_set = self._data_sets.get(form.data.strip())
        about = data_set.hint if data_set else ""
        names = [name for name, one in self._data_sets.items() if one.kind == form.kind]
        if not form.data.strip() and names:
            source = new_run_values.SOURCES[form.kind]
            about = f"Data sets (up, down): {', '.join(names)}. Or the path of {source}."
        return {"data": about, "settings": new_run_values.matching_keys(line)}

    # ── starting ─────────────────────────────────────────────────────────────────────────────────

    @on(Input.Submitted)
    @on(Button.Pressed, "#start")
    def action_start(self) -> None:
        """Start the run if the form is correct and complete."""
        if self._is_starting or not self._check(complete=True):
            return
        if any("=" not in pair for pair in self.form.pairs()):
            return
        self._start(self.form)

    # ── settings and downloads ───────────────────────────────────────────────────────────────────

    @on(Button.Pressed, "#all-settings")
    @work(group="settings", exclusive=True)
    async def action_settings(self) -> None:
        """Show all settings with their meanings and ranges, and change them."""
        form = self.form
        try:
            base = load(form.kind, form.preset, (), form.source())
        except InputError:
            base = load(form.kind)
        lines = [line.partition("=") for line in form.settings.split("\n") if "=" in line]
        changes = {key.strip(): value.strip() for key, _, value in lines}
        changed = await self.app.push_screen_wait(SettingsDialog(base, changes))
        area = self.query_one("#settings", TextArea)
        area.text = "\n".join(f"{key}={value}" for key, value in changed.items())

    @on(Button.Pressed, "#download")
    def action_download(self) -> None:
        """Download the data set, if it has a name and is not here."""
        name = self.form.data.strip()
        if self.has_class("-missing") and not self._is_starting:
            self._download(name)

    @work(group="start", exclusive=True)
    async def _download(self, name: str) -> None:
        self.add_class("-busy")
        self.post_message(StatusChanged(f"Downloading {name} …"))
        try:
            await command_runner.run(
                self.programs.cli,
                *("data", "fetch", name, "--json", "--progress"),
                on_message=lambda line: self.post_message(StatusChanged(line)),
            )
            self.post_message(Downloaded(name))
        except WorkError as error:
            self.post_message(StatusChanged(f"✗ {error}", is_error=True))
        finally:
            self.remove_class("-busy")

    def on_downloaded(self, event: Downloaded) -> None:
        """Note that the data set is available."""
        self._data_sets[event.name] = replace(self._data_sets[event.name], here=True)
        self.post_message(StatusChanged(f"{event.name} has been downloaded."))
        self._check()

    @property
    def _is_starting(self) -> bool:
        return self.has_class("-busy")

    @work(group="start", exclusive=True)
    async def _start(self, form: Form) -> None:
        self.add_class("-busy")
        self.post_message(StatusChanged("Preparing the data set and the run …"))
        try:
            printed = await command_runner.run(
                self.programs.cli,
                *new_run_values.arguments(form),
                on_message=lambda line: self.post_message(StatusChanged(line)),
            )
            self.post_message(RunCreated(RunDir(Path(str(printed[0]["path"])))))
        except WorkError as error:
            self.post_message(StatusChanged(f"✗ {error}", is_error=True))
        except LookupError:
            sentence = "✗ The command did not print the run's path; see the Runs page."
            self.post_message(StatusChanged(sentence, is_error=True))
        finally:
            self.remove_class("-busy")

    def on_status_changed(self, event: StatusChanged) -> None:
        """Show the status."""
        status = self.query_one("#status", Static)
        status.set_class(event.is_error, "-wrong")
        status.update(Content(clean(event.sentence)))
        status.display = True
        status.scroll_visible(animate=False)

    def on_run_created(self, event: RunCreated) -> None:
        """Return the run."""
        self.dismiss(event.run)

    @on(Button.Pressed, "#close")
    def action_close(self) -> None:
        """Close without a run."""
        self.workers.cancel_node(self)
        self.dismiss(None)
