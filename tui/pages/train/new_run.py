"""The form that starts a training run."""

import asyncio
from dataclasses import dataclass
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
from engine.config import Kind
from engine.errors import WorkError
from engine.runs import run_dir
from engine.runs.run_dir import RunDir
from tui.formatting import clean
from tui.pages.train import new_run_form as forms
from tui.pages.train.new_run_form import Form
from tui.sources import commands
from tui.widgets.footer import Footer

# The fields from top to bottom, each with its label.
FIELDS = {
    "kind": "Kind",
    "data": "Songs",
    "preset": "Preset",
    "name": "Name",
    "steps": "Steps",
    "settings": "Settings",
}


@dataclass(frozen=True)
class Dataset:
    """One that goes by a name."""

    kind: Kind
    about: str


@dataclass
class Known(Message):
    """What can be suggested: names of runs that are taken, and the datasets by name."""

    taken: set[str] | None = None
    datasets: dict[str, Dataset] | None = None


@dataclass
class Told(Message):
    """A sentence of the command that starts the run."""

    sentence: str
    wrong: bool = False


@dataclass
class Began(Message):
    """The run is there."""

    run: RunDir


class SourceSuggester(Suggester):
    """Completes the name of a dataset, or a path."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self.names: list[str] = []

    async def get_suggestion(self, value: str) -> str | None:
        """What the value may become."""
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


class NewRunScreen(ModalScreen[RunDir | None]):
    """Gives the run that was started, or None; keeps every field when starting fails."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "start", "Start", id="new_run.start", tooltip="Start the run"),
        Binding("escape", "close", "Close", id="new_run.close",
                tooltip="Back without a run; ends the preparation of one"),
        Binding("f1", "app.help", "Help", id="new_run.help", tooltip="All keys of this form"),
    ]  # fmt: skip
    AUTO_FOCUS = "#data"

    def __init__(self) -> None:
        super().__init__()
        self._taken: set[str] = set()
        self._given_name = ""  # the name the form itself has put in
        self._datasets: dict[str, Dataset] = {}
        self._presets = {preset.name: preset for preset in forms.presets()}
        self._suggester = SourceSuggester()

    def compose(self) -> ComposeResult:
        """Lay out the fields, each with its line for hints and errors."""
        with VerticalScroll(classes="dialog wide") as box:
            box.border_title = "New run"
            box.can_focus = False
            for field, label in FIELDS.items():
                with Horizontal(classes="field"):
                    yield Static(label, classes="label")
                    yield self._input(field)
                yield Static(id=f"{field}-note", classes="note", markup=False)
            yield Static(id="summary", markup=False)
            with Horizontal(classes="buttons"):
                yield Button("Start", id="start", variant="primary", compact=True)
                yield Button("Close", id="close", compact=True)
            yield Static(id="status", markup=False)
        yield Footer(show_command_palette=False)

    def _input(self, field: str) -> Input | Select[str] | TextArea:
        if field == "kind":
            kinds = [(kind, kind) for kind in forms.SOURCES]
            return Select(kinds, allow_blank=False, id=field, compact=True)
        if field == "preset":
            options = [(preset.label, preset.name) for preset in self._presets.values()]
            return Select(options, prompt="the defaults", id=field, compact=True)
        if field == "settings":
            area = TextArea(id=field, compact=True, show_line_numbers=False)
            area.placeholder = "key=value, one a line, as model.hidden_size=128"
            return area
        placeholder = {
            "data": "a dataset's name, or a path",
            "name": "made up when left empty",
            "steps": "as the preset has it",
        }
        suggester = self._suggester if field == "data" else None
        return Input(placeholder=placeholder[field], suggester=suggester, id=field, compact=True)

    def on_mount(self) -> None:
        """Look up what can be suggested."""
        self._look_up()
        self._check()

    @work
    async def _look_up(self) -> None:
        taken = {run.name for run in await asyncio.to_thread(run_dir.list_runs)}
        taken |= {folder.name for folder in paths.models().iterdir()}
        self.post_message(Known(taken=taken))
        try:
            listed = await commands.run("data", "list", "--json")
        except WorkError:
            return  # a path can be typed all the same
        datasets = {
            str(entry["name"]): Dataset(entry["kind"], str(entry.get("about", "")))
            for entry in listed
            if "name" in entry and entry.get("kind") in forms.SOURCES
        }
        self.post_message(Known(datasets=datasets))

    def on_known(self, event: Known) -> None:
        """Suggest what has been looked up."""
        if event.taken is not None:
            self._taken = event.taken
            self._suggest_name()
        if event.datasets is not None:
            self._datasets = event.datasets
            self._suggester.names = list(event.datasets)
        self._check()

    @property
    def form(self) -> Form:
        """The fields as they are now."""
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

    @on(Input.Changed)
    @on(TextArea.Changed)
    @on(Select.Changed, "#kind")
    def _changed(self) -> None:
        if not self._busy:  # what was said of the fields as they were
            self.query_one("#status", Static).update("")
        self._check()

    @on(Input.Changed, "#data")
    def _data_changed(self, event: Input.Changed) -> None:
        if dataset := self._datasets.get(event.value.strip()):
            self.query_one("#kind", Select).value = dataset.kind

    @on(Select.Changed, "#preset")
    def _preset_changed(self) -> None:
        preset = self._presets.get(self.form.preset or "")
        if preset and preset.kind:
            self.query_one("#kind", Select).value = preset.kind
        self._suggest_name()
        self._check()

    def _suggest_name(self) -> None:
        """Name the run after its preset, unless it has been named by hand."""
        field = self.query_one("#name", Input)
        if field.value == self._given_name:
            self._given_name = forms.free_name(self.form.preset or "run", self._taken)
            field.value = self._given_name

    def _check(self, complete: bool = False) -> bool:
        """Say what is wrong; whether nothing is. complete: also what is still missing."""
        form = self.form
        checked = forms.check(form)
        problems = dict(checked.problems)
        if form.name.strip() in self._taken:
            problems["name"] = f"The name {form.name.strip()!r} is taken: choose another."
        if complete and checked.config is not None:
            problems |= forms.missing(checked.config)
        hints = self._hints(form)
        if hints["settings"]:  # a key half typed is not wrong yet
            problems.pop("settings", None)
        for field in FIELDS:
            note = self.query_one(f"#{field}-note", Static)
            problem = problems.get(field)
            note.set_class(problem is not None, "-wrong")
            note.update(clean(f"✗ {problem}" if problem else hints.get(field, "")))
            note.display = bool(problem or hints.get(field))
        config = checked.config
        self.query_one("#summary", Static).update(forms.summary(config) if config else "")
        return not problems and config is not None

    def _hints(self, form: Form) -> dict[str, str]:
        area = self.query_one("#settings", TextArea)
        line = str(area.document.get_line(area.cursor_location[0]))
        known = self._datasets.get(form.data.strip())
        about = known.about if known else ""
        names = [name for name, dataset in self._datasets.items() if dataset.kind == form.kind]
        if not form.data.strip() and names:
            about = f"Known by name: {', '.join(names)}. Or {forms.SOURCES[form.kind]}."
        return {"data": about, "settings": forms.matching_keys(line)}

    @on(Input.Submitted)
    @on(Button.Pressed, "#start")
    def action_start(self) -> None:
        """Start the run, if nothing is wrong or missing."""
        if self._busy or not self._check(complete=True):
            return
        if any("=" not in pair for pair in self.form.pairs()):
            return
        self._start(self.form)

    @property
    def _busy(self) -> bool:
        return self.has_class("-busy")

    @work(group="start", exclusive=True)
    async def _start(self, form: Form) -> None:
        self.add_class("-busy")
        self.post_message(Told("Preparing the songs and the run …"))
        try:
            printed = await commands.run(
                *forms.arguments(form), on_message=lambda line: self.post_message(Told(line))
            )
            self.post_message(Began(RunDir(Path(str(printed[0]["path"])))))
        except WorkError as error:
            self.post_message(Told(f"✗ {error}", wrong=True))
        except LookupError:
            sentence = "✗ The run was started but not named: see the Runs page."
            self.post_message(Told(sentence, wrong=True))
        finally:
            self.remove_class("-busy")

    def on_told(self, event: Told) -> None:
        """Show what the command says."""
        status = self.query_one("#status", Static)
        status.set_class(event.wrong, "-wrong")
        status.update(Content(clean(event.sentence)))
        status.scroll_visible(animate=False)

    def on_began(self, event: Began) -> None:
        """Give the run back."""
        self.dismiss(event.run)

    @on(Button.Pressed, "#close")
    def action_close(self) -> None:
        """Leave without a run."""
        self.workers.cancel_node(self)
        self.dismiss(None)
