"""The Neurons page: what single units of a network keep track of along a song."""

from pathlib import Path
from typing import ClassVar

from textual import getters, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static

from engine.errors import InputError
from engine.protocol import (
    Failed,
    Loaded,
    ReadUnit,
    ReadUnits,
    SamplerAnswer,
    SongReading,
    UnitActivations,
    UnitRead,
    UnitsRead,
)
from tui.pages.hints import NO_MODEL, SEARCHING, UNUSABLE
from tui.pages.model_page import ModelPage, SamplerAnswered
from tui.pages.neurons import units
from tui.pages.neurons.activation_view import NeuronRoll, NeuronText
from tui.pages.neurons.controls import NeuronControls, TextDialog
from tui.pages.neurons.units import Unit
from tui.sources.child_commands import INSTALLED, Programs
from tui.sources.restarting_process import ProcessEnded
from tui.widgets.file_dialog import FileDialog
from tui.widgets.footer import Footer


class NeuronsScreen(ModelPage[NeuronControls]):
    """The page that shows what units track (after Karpathy, Johnson & Fei-Fei 2015)."""

    AUTO_FOCUS = "#features"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "select(-1)", "Back", show=False, id="neurons.left",
                tooltip="Select the previous character or frame"),
        Binding("right", "select(1)", "Forward", show=False, id="neurons.right",
                tooltip="Select the next character or frame"),
        Binding("plus,equals_sign", "next_unit(1)", "Next unit", id="neurons.next",
                key_display="+", tooltip="Next unit"),
        Binding("minus", "next_unit(-1)", "Previous", id="neurons.previous",
                key_display="-", tooltip="Previous unit"),
        Binding("right_square_bracket", "rank(1)", "Next best", id="neurons.worse",
                tooltip="Show the next-best unit for this feature (top 10)"),
        Binding("left_square_bracket", "rank(-1)", "Better", show=False, id="neurons.better",
                tooltip="Show the next-better unit for this feature"),
        Binding("full_stop", "song(1)", "Next song", id="neurons.song",
                tooltip="Read the next held-out song; the unit stays"),
        Binding("comma", "song(-1)", "Previous song", show=False, id="neurons.previous_song",
                tooltip="Read the previous held-out song; the unit stays"),
        Binding("o", "other", "Own text", id="neurons.other",
                tooltip="Type or paste a text to be read; for music, open a file"),
        Binding("u", "field('unit')", "Unit", show=False, id="neurons.unit",
                tooltip="Go to the unit, and type one as layer:number, for example 2:117"),
        Binding("m", "field('model')", "Model", show=False, id="neurons.model",
                tooltip="Go to the model"),
        Binding("escape", "leave", "Features", show=False, id="neurons.leave",
                tooltip="Leave the field, and go to the features"),
        Binding("r", "reload", "Reload models", show=False, id="neurons.reload",
                tooltip="Look for models again, and read the song again"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    NeuronsScreen {
        & #title { height: auto; max-height: 2; padding: 0 1 0 3; margin-top: 1; text-style: bold; }
        & NeuronText, & NeuronRoll { width: 1fr; height: 1fr; margin: 1 1 0 3; }
        & NeuronRoll { display: none; }
        &.-music NeuronRoll { display: block; }
        &.-music NeuronText { display: none; }
        & #status { min-height: 2; max-height: 4; padding: 0 1 0 3; margin: 1 0 0 0; }
        & #status.-failed { max-height: 8; }
        &.-medium NeuronControls { padding: 1 1 0 1; }
        &.-normal #title { margin-top: 0; }
        &.-short #title { margin-top: 0; height: 1; }
        &.-narrow NeuronControls { height: 60%; }
        &.-narrow NeuronText, &.-narrow NeuronRoll { margin: 0 0 0 1; }
        &.-narrow #title { padding: 0 1; }
        &.-narrow #status { padding: 0 1; margin: 0; min-height: 1; max-height: 3; }
    }
    """

    _text = getters.query_one(NeuronText)
    _roll = getters.query_one(NeuronRoll)

    def __init__(self, programs: Programs = INSTALLED) -> None:
        super().__init__(programs, NeuronControls(), "lyrics", "music")
        self.reading: SongReading | None = None
        self.activations: UnitActivations | None = None  # of the unit in view
        self._request = ReadUnits("")  # the request for the song in view
        self._read_by = ""  # the key of the model that reads the song
        self._reading_id = 0  # the id of the request for the song, 0 once it is answered
        self._unit_id = 0  # the id of the request for a unit, 0 once it is answered
        self._unit: Unit | None = None  # the unit in view or requested; None before there is one
        self._selected: int | None = None  # index of the selected character or frame

    def compose(self) -> ComposeResult:
        """Lay out the page."""
        with Horizontal(id="page"):
            yield self.form
            with Vertical(id="sheet"):
                yield Static(id="title", markup=False)
                yield NeuronText()
                yield NeuronRoll()
                yield Static(id="status", markup=False)
        yield Footer()

    @property
    def waiting(self) -> bool:
        """Whether a request is not answered yet."""
        return self._reading_id > 0 or self._unit_id > 0

    def model_changed(self) -> None:
        """Have the newly chosen model read the current song."""
        self.load()
        self.leave_fields()

    # ── reading ──────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Read the song again; if another model was chosen, its first song."""
        model = self.form.model
        if model is None:
            return
        if model.key != self._read_by:
            self._forget()
            self._read_by = model.key
            self._request = ReadUnits(self.form.models.model_name)
        self._read(self._request)

    def _read(self, request: ReadUnits) -> None:
        self.sampler.stop()
        self._request, self._problem = request, ""
        self._reading_id = self.sampler.request(request)
        self.refresh_view()

    def on_sampler_answered(self, event: SamplerAnswered) -> None:
        """Show what was read."""
        with self.app.batch_update():
            for answer in event.answers:
                match answer:
                    case ProcessEnded(error):
                        self._problem = error
                        self._load_id = self._reading_id = self._unit_id = 0
                    case Loaded() if self.loaded(answer):
                        self.start()
                    case Failed() if self.loaded(answer):
                        self._forget()
                    case _:
                        self._receive(answer)
            self.refresh_view()

    def _receive(self, answer: SamplerAnswer) -> None:
        is_song, is_unit = answer.id == self._reading_id, answer.id == self._unit_id
        if is_song:
            self._reading_id = 0
        elif is_unit:
            self._unit_id = 0
        match answer:
            case Failed(error) if is_song or is_unit:
                self._problem = error
            case UnitsRead(reading) if is_song and reading is not None:
                self._show_song(reading)
            case UnitRead(activations) if is_unit:
                self._shade(activations)

    def _show_song(self, reading: SongReading) -> None:
        self.reading, self.activations, self._selected = reading, None, None
        self.form.set_features(reading.features)
        self.set_class(not reading.text, "-music")
        if reading.text:
            self._text.show_text("", units.printable(reading.text))
        else:
            self._roll.show(reading)
        self._show_unit(self._unit or self.form.best or Unit(1, 1))

    def _shade(self, activations: UnitActivations) -> None:
        if self.reading is None:
            return
        self.activations = activations
        if self.reading.text:
            self._text.shade(units.levels(activations.activations))
        else:
            self._roll.shade(activations.activations)

    def _forget(self) -> None:
        """Remove what the previous model has read."""
        self.reading, self.activations, self._unit, self._read_by = None, None, None, ""
        self.form.set_features(())
        self.remove_class("-music")

    # ── the unit ─────────────────────────────────────────────────────────────────────────────────

    def _show_unit(self, unit: Unit) -> None:
        """Show a unit."""
        if self.reading is not None and not self._reading_id:
            self._unit, self._problem = unit, ""
            self.form.show_unit(unit)
            self._unit_id = self.sampler.request(ReadUnit(unit.layer, unit.number))

    @on(NeuronControls.UnitChosen)
    def _unit_chosen(self, event: NeuronControls.UnitChosen) -> None:
        self._show_unit(event.unit)

    @on(Input.Submitted, "#unit")
    def _unit_typed(self, event: Input.Submitted) -> None:
        if self.reading is None:
            return
        layer = self._unit.layer if self._unit else 1
        try:
            self._show_unit(units.parse(event.value, self.reading, layer))
        except InputError as error:
            self.form.show_problem(str(error))
        else:
            self.leave_fields()

    def action_next_unit(self, steps: int) -> None:
        """Show the unit `steps` further in the network."""
        if self.reading is not None and self._unit is not None:
            self._show_unit(units.step(self._unit, steps, self.reading))

    def action_rank(self, steps: int) -> None:
        """Show the unit `steps` further down the list of best units for the highlighted feature."""
        self.form.move_rank(steps)

    # ── what is shown ────────────────────────────────────────────────────────────────────────────

    def action_select(self, steps: int) -> None:
        """Select another character or frame."""
        if self.reading is not None:
            (self._text if self.reading.text else self._roll).action_select(steps)

    @on(NeuronText.Selected)
    @on(NeuronRoll.Selected)
    def _character_selected(self, event: NeuronText.Selected | NeuronRoll.Selected) -> None:
        if isinstance(event, NeuronRoll.Selected):
            self._selected = event.frame
        else:
            self._selected = self._text.selected
        self.refresh_view()

    def refresh_view(self) -> None:
        """Show the title, the status, and a hint where there is no song."""
        reading, model = self.reading, self.form.model
        activations = self.activations
        if self._problem:
            lines = [f"✗ {self._problem}"]
        elif self.busy or self._reading_id:
            what = "looking for models" if model is None else f"reading with {model.name}"
            lines = [f"○ {what}"]
        else:
            lines = [units.about(activations)] if activations else []
        if reading and activations and not self._problem:
            index = self._selected
            if index is not None and index < len(activations.activations):
                lines.append(units.describe(reading, activations, index))
            else:
                largest = units.largest(activations.activations)
                lines.append(units.LEGEND.format(largest=largest))
        if reading is None:
            self._text.show_hint(self._hint())
        self.query_one("#title", Static).update(units.title(reading) if reading else "")
        self.show_status("\n".join(lines), bool(self._problem))

    def _hint(self) -> str:
        if self._searching:
            return SEARCHING
        if self.form.model is not None:
            return ""
        return UNUSABLE if self._problem else NO_MODEL

    def focus_view(self) -> None:
        """Focus the features."""
        self.form.query_one("#features").focus()

    def action_leave(self) -> None:
        """Leave the field."""
        self.leave_fields()

    # ── songs ────────────────────────────────────────────────────────────────────────────────────

    def action_song(self, steps: int) -> None:
        """Read another held-out song."""
        if self.reading is None or self._reading_id:
            return
        is_own = self._request.text is not None or self._request.path is not None
        song = 0 if is_own else self.reading.song + steps
        if self.reading.songs and not is_own:
            song %= self.reading.songs
        self._read(ReadUnits(self.form.models.model_name, song=max(song, 0)))

    @work(exclusive=True, group="other")
    async def action_other(self) -> None:
        """Ask for a text or a file of music, and read it."""
        if self.reading is None:
            self.notify("There is no model to read with yet.")
            return
        name = self.form.models.model_name
        if self.reading.text:
            text = await self.app.push_screen_wait(TextDialog(self._request.text or ""))
            if text is not None:
                self._read(ReadUnits(name, text=text))
            return

        async def accept(path: Path) -> None:
            """Accept any path: the sampler reads the file."""

        hint = "enter: read · right: accept the suggestion · escape: cancel"
        path = await self.app.push_screen_wait(
            FileDialog("Read a MIDI or MusicXML file", hint, accept)
        )
        if path is not None:
            self._read(ReadUnits(name, path=str(path)))
