"""The Neurons page: see what single units of a network keep track of along a song."""

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
from tui.formatting import clean
from tui.pages.hints import LOOKING, NO_MODEL, TROUBLE
from tui.pages.model_page import ModelPage, SamplerAnswered
from tui.pages.neurons import units
from tui.pages.neurons.controls import NeuronControls, TextDialog
from tui.pages.neurons.roll import NeuronRoll, NeuronText
from tui.pages.neurons.units import Unit
from tui.sources.process import ProcessEnded
from tui.sources.programs import INSTALLED, Programs
from tui.widgets.file_dialog import FileDialog
from tui.widgets.footer import Footer
from tui.widgets.model_select import ModelChooser


class NeuronsScreen(ModelPage):
    """The page that looks at units, after Karpathy, Johnson & Fei-Fei 2015."""

    AUTO_FOCUS = "#features"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "look(-1)", "Back", show=False, id="neurons.left",
                tooltip="Look closer at the character or frame before"),
        Binding("right", "look(1)", "On", show=False, id="neurons.right",
                tooltip="Look closer at the character or frame after"),
        Binding("plus,equals_sign", "step(1)", "Next unit", id="neurons.next", key_display="+",
                tooltip="The unit after the one in view"),
        Binding("minus", "step(-1)", "Unit before", id="neurons.before", key_display="-",
                tooltip="The unit before the one in view"),
        Binding("right_square_bracket", "rank(1)", "Next best", id="neurons.worse",
                tooltip="Of the feature chosen the next best unit, down to the tenth"),
        Binding("left_square_bracket", "rank(-1)", "Better", show=False, id="neurons.better",
                tooltip="Of the feature chosen the unit before, up to the best"),
        Binding("n", "song(1)", "Next song", id="neurons.song",
                tooltip="Another song, one that the model never saw; the unit stays"),
        Binding("N", "song(-1)", "Song before", show=False, id="neurons.song_before",
                tooltip="The song before; the unit stays"),
        Binding("o", "other", "Own text", id="neurons.other",
                tooltip="Type or paste a text to be read; for music, open a MIDI file"),
        Binding("u", "field('unit')", "Unit", show=False, id="neurons.unit",
                tooltip="Go to the unit, and type one, as 2:117: layer and number"),
        Binding("m", "field('model')", "Model", show=False, id="neurons.model",
                tooltip="Go to the model"),
        Binding("escape", "leave", "Features", show=False, id="neurons.leave",
                tooltip="Leave the field, for the features"),
        Binding("r", "reload", "Reload models", show=False, id="neurons.reload",
                tooltip="Look again for models, and read the song again"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    NeuronsScreen {
        & #page { height: 1fr; }
        & NeuronControls { border-right: vkey $foreground 20%; }
        & #sheet { width: 1fr; height: 1fr; }
        & #title { height: auto; max-height: 2; padding: 0 1 0 3; margin-top: 1; text-style: bold; }
        & NeuronText, & NeuronRoll { width: 1fr; height: 1fr; margin: 1 1 0 3; }
        & NeuronRoll { display: none; }
        &.-music NeuronRoll { display: block; }
        &.-music NeuronText { display: none; }
        & #status { height: auto; min-height: 2; max-height: 4; padding: 0 1 0 3; margin: 1 0 0 0;
                    color: $text-muted; }
        & #status.-failed { max-height: 8; color: $text-error; text-style: bold; }
        &.-medium NeuronControls ModelChooser #words { margin-left: 0; }
        &.-medium NeuronControls { width: 33; padding: 1 1 0 1; }
        &.-normal #title { margin-top: 0; }
        &.-normal NeuronControls { padding: 0 1; }
        &.-short NeuronControls { padding: 0 1; }
        &.-short #title { margin-top: 0; height: 1; }
        &.-narrow #page { layout: vertical; }
        &.-narrow NeuronControls { display: none; width: 100%; height: 60%; border: none;
                                   border-bottom: hkey $foreground 20%; }
        &.-narrow NeuronControls.-open { display: block; }
        &.-narrow NeuronText, &.-narrow NeuronRoll { margin: 0 0 0 1; }
        &.-narrow #title { padding: 0 1; }
        &.-narrow #status { padding: 0 1; margin: 0; min-height: 1; max-height: 3; }
    }
    """

    _controls = getters.query_one(NeuronControls)
    _text = getters.query_one(NeuronText)
    _roll = getters.query_one(NeuronRoll)

    def __init__(self, programs: Programs = INSTALLED) -> None:
        super().__init__(programs, "lyrics", "music")
        self.reading: SongReading | None = None
        self.told: UnitActivations | None = None  # of the unit in view
        self._request = ReadUnits("")  # the song that is read, or to be read
        self._read_by = ""  # the key of the model that reads it
        self._asked = 0  # the id of the request to read it, 0 when it is answered
        self._asked_unit = 0
        self._unit: Unit | None = None  # in view, or asked for
        self._looked: int | None = None  # the character or frame looked at

    def compose(self) -> ComposeResult:
        """Lay out the page."""
        with Horizontal(id="page"):
            yield NeuronControls()
            with Vertical(id="sheet"):
                yield Static(id="title", markup=False)
                yield NeuronText()
                yield NeuronRoll()
                yield Static(id="status", markup=False)
        yield Footer()

    # ── models ───────────────────────────────────────────────────────────────────────────────────

    @property
    def chooser(self) -> ModelChooser:
        """The field that chooses the model."""
        return self._controls.query_one(ModelChooser)

    def refresh_words(self) -> None:
        """Say anew what there is to say about the models."""
        self._show_status()

    @on(ModelChooser.Chosen)
    def _model_chosen(self) -> None:
        self.load()
        self.action_leave()

    def begin(self) -> None:
        """Read the song again, or with another model the first one."""
        model = self.chooser.model
        if model is None:
            return
        if model.key != self._read_by:
            self._forget()
            self._read_by = model.key
            self._request = ReadUnits(self.chooser.model_name)
        self._read(self._request)

    # ── reading ──────────────────────────────────────────────────────────────────────────────────

    def _read(self, request: ReadUnits) -> None:
        self.sampler.stop()
        self._request, self._problem = request, ""
        self._asked = self.sampler.request(request)
        self._show_status()

    def on_sampler_answered(self, event: SamplerAnswered) -> None:
        """Show what was read."""
        with self.app.batch_update():
            for answer in event.answers:
                match answer:
                    case ProcessEnded(error):
                        self._problem = error
                        self._loading = self._asked = self._asked_unit = 0
                    case Loaded() if self.loaded(answer):
                        self.begin()
                    case Failed() if self.loaded(answer):
                        self._forget()
                    case _:
                        self._receive(answer)
            self._show_status()

    def _receive(self, answer: SamplerAnswer) -> None:
        is_song, is_unit = answer.id == self._asked, answer.id == self._asked_unit
        if is_song:
            self._asked = 0
        elif is_unit:
            self._asked_unit = 0
        match answer:
            case Failed(error) if is_song or is_unit:
                self._problem = error
            case UnitsRead(reading) if is_song and reading is not None:
                self._show_song(reading)
            case UnitRead(activations) if is_unit:
                self._shade(activations)

    def _show_song(self, reading: SongReading) -> None:
        self.reading, self.told, self._looked = reading, None, None
        self._controls.set_features(reading.features)
        self.set_class(not reading.text, "-music")
        if reading.text:
            self._text.show_song("", units.shown(reading.text))
        else:
            self._roll.show(reading)
        self._see(self._unit or self._controls.best or Unit(1, 1))

    def _forget(self) -> None:
        """Take away what another model read."""
        self.reading, self.told, self._unit, self._read_by = None, None, None, ""
        self._controls.set_features(())
        self.remove_class("-music")

    def _shade(self, activations: UnitActivations) -> None:
        if self.reading is None:
            return
        self.told = activations
        if self.reading.text:
            self._text.shade(units.levels(activations.activations))
        else:
            self._roll.shade(activations.activations)

    # ── what is in view ──────────────────────────────────────────────────────────────────────────

    def _see(self, unit: Unit) -> None:
        """Bring a unit into view."""
        if self.reading is not None and not self._asked:
            self._unit, self._problem = unit, ""
            self._controls.show(unit)
            self._asked_unit = self.sampler.request(ReadUnit(unit.layer, unit.number))

    @on(NeuronControls.UnitChosen)
    def _unit_chosen(self, event: NeuronControls.UnitChosen) -> None:
        self._see(event.unit)

    @on(Input.Submitted, "#unit")
    def _unit_typed(self, event: Input.Submitted) -> None:
        if self.reading is None:
            return
        layer = self._unit.layer if self._unit else 1
        try:
            self._see(units.parse(event.value, self.reading, layer))
        except InputError as error:
            self._controls.say(str(error))
        else:
            self.action_leave()

    def action_step(self, steps: int) -> None:
        """Bring the unit so many further into view."""
        if self.reading is not None and self._unit is not None:
            self._see(units.stepped(self._unit, steps, self.reading))

    def action_rank(self, steps: int) -> None:
        """Bring a better or a worse unit of the feature chosen into view."""
        self._controls.rank(steps)

    def action_look(self, steps: int) -> None:
        """Look at another character or frame."""
        if self.reading is not None:
            (self._text if self.reading.text else self._roll).action_look(steps)

    @on(NeuronText.Looked)
    @on(NeuronRoll.Looked)
    def _look(self, event: NeuronText.Looked | NeuronRoll.Looked) -> None:
        if isinstance(event, NeuronRoll.Looked):
            self._looked = event.place
        else:
            self._looked = self._text.looked
        self._show_status()

    def _show_status(self) -> None:
        reading, told, model = self.reading, self.told, self.chooser.model
        if self._problem:
            lines = [f"✗ {self._problem}"]
        elif self._looking or self._loading or self._asked:
            what = "looking for models" if model is None else f"reading with {model.name}"
            lines = [f"○ {what}"]
        else:
            lines = [units.about(told)] if told else []
        if reading and told and not self._problem:
            seen = self._looked is not None and self._looked < len(told.activations)
            lines.append(
                units.closely(reading, told, self._looked or 0)
                if seen
                else units.LEGEND.format(most=units.largest(told.activations))
            )
        if reading is None:
            self._text.show_hint(self._hint())
        self.query_one("#title", Static).update(units.title(reading) if reading else "")
        status = self.query_one("#status", Static)
        status.update(clean("\n".join(lines)))
        status.set_class(bool(self._problem), "-failed")

    def _hint(self) -> str:
        if self._looking:
            return LOOKING
        if self.chooser.model is not None:
            return ""
        return TROUBLE if self._problem else NO_MODEL

    # ── songs and fields ─────────────────────────────────────────────────────────────────────────

    def action_song(self, steps: int) -> None:
        """Read another of the songs there are."""
        if self.reading is None or self._asked:
            return
        own = self._request.text is not None or self._request.path is not None
        song = 0 if own else self.reading.song + steps
        if self.reading.songs and not own:
            song %= self.reading.songs
        self._read(ReadUnits(self.chooser.model_name, song=max(song, 0)))

    @work(exclusive=True, group="other")
    async def action_other(self) -> None:
        """Ask for a text, or a MIDI file, and read it."""
        if self.reading is None:
            self.notify("There is no model to read with yet.")
            return
        name = self.chooser.model_name
        if self.reading.text:
            text = await self.app.push_screen_wait(TextDialog(self._request.text or ""))
            if text is not None:
                self._read(ReadUnits(name, text=text))
            return

        async def take(path: object) -> None:
            """The sampler reads it, and says what is wrong."""

        hint = "enter: read · right: accept the suggestion · escape: cancel"
        path = await self.app.push_screen_wait(FileDialog("Read a MIDI file", hint, take))
        if path is not None:
            self._read(ReadUnits(name, path=str(path)))

    def action_field(self, name: str) -> None:
        """Go to a field; on a narrow screen the panel opens for it."""
        self._controls.add_class("-open")
        field = self._controls.query_one(f"#{name}")
        field.call_after_refresh(field.focus)  # what is not laid out yet cannot be scrolled to

    def action_leave(self) -> None:
        """Go back to the features; on a narrow screen the panel closes."""
        self._controls.remove_class("-open")
        self._controls.query_one("#features").focus()
