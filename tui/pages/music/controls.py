"""The panel of the Music page: what is to be written by which model, and how it is played."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.style import Style
from textual.widgets import Input, Label, Select, Static

from engine.errors import InputError
from engine.music.general_midi import INSTRUMENTS
from engine.music.ports import SILENT
from engine.music.tempo_map import TempoMap
from engine.protocol import MUSIC_SAMPLING_OPTIONS, FrameLength, Port, SampleMusic
from tui.formatting import clean
from tui.pages.music import options
from tui.sources.models import ModelChoice
from tui.widgets.fields import MusicField, StepField, seed
from tui.widgets.model_select import ModelSelect

ANY_PORT = ""  # of the choices, the one that means the best port there is
LABELS = {
    "begins": "Begins with",
    "least": "Least notes",
    "program": "Instrument",
}
TOOLTIPS = {
    "begins": "How the music begins: notes as C4 E4 G4, or a MIDI file's path",
    "temperature": "How daring: 0 takes each key's likelier state, inf tosses coins",
    "memory": "How far the model's memory of the song is believed, 0 to 1, if it has one",
    "least": "Notes that every frame has at least, so that silence does not stick",
    "length": "How much to write: 200 frames, 16 bars, 30 s",
    "seed": "The same seed and settings write the same music again",
    "tempo": "So many times as fast as written",
    "transpose": "So many semitones higher than written",
    "velocity": "Struck so many times as hard as written",
}


@dataclass(frozen=True)
class PlaybackSettings:
    """How music is played, other than written."""

    tempo: float = 1.0  # times as fast
    transpose: int = 0  # semitones
    velocity: float = 1.0  # times as hard
    program: int = 0  # of General MIDI, from 0


def _step(sign: str, name: str, steps: int) -> Content:
    """A sign that changes a field when it is clicked."""
    action = f"screen.step({name!r},{steps})"
    return Content.styled(sign, Style.from_meta({"@click": action}))


class MusicControls(VerticalScroll, can_focus=False):
    """Wrong values are said at once; what is about playing holds as soon as it is changed."""

    DEFAULT_CSS = """
    MusicControls {
        width: 42;
        padding: 1 2;
        scrollbar-size-vertical: 1;
        & Horizontal { height: 1; margin-bottom: 1; }
        & #chooser { margin-bottom: 0; }
        & Label { width: 13; color: $text-muted; }
        & .headline { width: 1fr; text-style: bold; color: $text; }
        & Input.-textual-compact { width: 1fr; padding: 0 1; background: $surface; }
        & Input.-textual-compact:focus { background: $panel; }
        & StepField.-textual-compact { width: 8; }
        & Select { width: 1fr; }
        & Select.-textual-compact > SelectCurrent { padding: 0 1; }
        & Select:focus > SelectCurrent { background: $panel; text-style: bold; }
        & #words { height: auto; margin: 0 0 1 14; color: $text-muted; }
        & .step { width: auto; padding: 0 1; link-style: bold; link-style-hover: reverse; }
        & #problem { height: auto; color: $text-error; text-style: bold; }
    }
    """

    class ModelChosen(Message):
        """Another model was chosen."""

    class PortChosen(Message):
        """Another port was chosen."""

        def __init__(self, name: str | None) -> None:
            super().__init__()
            self.name = name  # None: the best there is

    class PlayingChanged(Message):
        """It is to be played in another way."""

        def __init__(self, playing: PlaybackSettings) -> None:
            super().__init__()
            self.playing = playing

    def __init__(self) -> None:
        super().__init__()
        self.frame: FrameLength | None = None  # of the chosen model, once it is loaded
        self._playing = PlaybackSettings()
        self._port_name = ANY_PORT  # as chosen last
        self._select = ModelSelect()
        self._port: Select[str] = Select(
            [("the best there is", ANY_PORT)], id="port", value=ANY_PORT, compact=True,
            allow_blank=False,
        )  # fmt: skip
        self._program: Select[int] = Select(
            [(f"{number:3}  {name}", number) for number, name in enumerate(INSTRUMENTS)],
            id="program", value=0, compact=True, allow_blank=False,
        )  # fmt: skip
        fields: list[MusicField] = [
            MusicField("begins", options.begins, "nothing"),
            StepField("temperature", options.temperature, "1", (0.1, 0, 2)),
            StepField("memory", options.memory, "1", (0.1, 0, 1)),
            StepField("least", options.least, "0", (1, 0, 10)),
            MusicField("length", options.length, f"{options.USUAL_LENGTH} frames"),
            MusicField("seed", seed, "new each time"),
        ]
        how: list[MusicField] = [
            StepField("tempo", options.tempo, "× 1", (0.1, 0.1, 4)),
            StepField("transpose", options.transpose, "0", (1, -24, 24)),
            StepField("velocity", options.velocity, "× 1", (0.1, 0.1, 4)),
        ]
        self._writing = {str(field.id): field for field in fields}
        self._how = {str(field.id): field for field in how}

    def compose(self) -> ComposeResult:
        """One field a row."""
        with Horizontal(id="chooser"):
            yield Label("Model")
            yield self._select
        yield Static(id="words", markup=False)
        for field in self._writing.values():
            yield self._row(field)
        with Horizontal():
            yield Label("Playing", classes="headline")
        yield self._row(self._port)
        yield self._row(self._program)
        for field in self._how.values():
            yield self._row(field)
        yield Static(id="problem", markup=False)

    @staticmethod
    def _row(field: MusicField | Select[Any]) -> Horizontal:
        name = str(field.id)
        label = Label(LABELS.get(name, name.capitalize()))
        field.tooltip = TOOLTIPS.get(name)
        if isinstance(field, StepField):
            less, more = (
                Static(_step(sign, name, steps), classes="step")
                for sign, steps in (("−", -1), ("+", 1))
            )
            return Horizontal(label, less, field, more)
        return Horizontal(label, field)

    # ── the model ────────────────────────────────────────────────────────────────────────────────

    @property
    def model(self) -> ModelChoice | None:
        """The model chosen."""
        return self._select.model

    @property
    def model_name(self) -> str:
        """What the sampler calls the chosen model: its path where another has the same name."""
        return self._select.model_name

    def set_models(self, models: Sequence[ModelChoice]) -> None:
        """Offer these; what was chosen stays so where it is still there."""
        self._select.set_models(models)
        self._describe()

    @on(Select.Changed, "#model")
    def _model_chosen(self, event: Select.Changed) -> None:
        event.stop()
        self._describe()
        self.post_message(self.ModelChosen())

    def _describe(self) -> None:
        self.frame = None
        words = (self.model.summary, self.model.score) if self.model else ()
        line = self.query_one("#words", Static)
        line.update(clean(" · ".join(filter(None, words))))
        line.display = any(words)

    # ── the request ──────────────────────────────────────────────────────────────────────────────

    def request(self) -> SampleMusic:
        """What the fields ask for. Raises InputError where one of them is wrong."""
        if self.model is None:
            raise InputError("There is no model to write with: press r to look again.")
        values = {name: field.meaning() for name, field in self._writing.items()}
        begins: options.Beginning = values.pop("begins")
        tempo = self.frame.tempo if self.frame else 120.0
        values["length"] = values["length"].frames(self.frame, TempoMap(tempo))
        sampling = {name: values.pop(name) for name in MUSIC_SAMPLING_OPTIONS}
        return SampleMusic(self.model_name, begins.file, begins.notes, sampling, **values)

    def keep(self, seed: int | None) -> None:
        """Keep a seed for the music to come; one kept already is let go of."""
        field = self._writing["seed"]
        field.value = "" if field.value or seed is None else str(seed)

    def wrong_field(self) -> str | None:
        """The id of the first field that is wrong."""
        return next(iter(self._problems()), None)

    def _problems(self) -> dict[str, str]:
        """A sentence for each field that is wrong, by its id."""
        problems = {}
        for name, field in (self._writing | self._how).items():
            try:
                field.meaning()
            except InputError as error:
                problems[name] = str(error)
        return problems

    @on(Input.Changed)
    def check(self) -> None:
        """Mark the fields that are wrong, say what is wrong with the first, pass on the others."""
        problems = self._problems()
        for field in self.query(Input):
            field.set_class(field.id in problems, "-invalid")
        sentence = f"✗ {next(iter(problems.values()))}" if problems else ""
        self.query_one("#problem", Static).update(clean(sentence))
        if not self._how.keys() & problems:
            self._play_so()

    # ── playing ──────────────────────────────────────────────────────────────────────────────────

    @property
    def playing(self) -> PlaybackSettings:
        """How it is to be played."""
        return self._playing

    def set_ports(self, ports: Sequence[Port]) -> None:
        """Offer these; what was chosen stays so where it is still there."""
        names = [port.name for port in ports]
        before = self._port.value
        with self.prevent(Select.Changed):
            self._port.set_options([
                ("the best there is", ANY_PORT),
                *((clean(name), name) for name in dict.fromkeys(names)),
                ("silent: nothing is heard", SILENT.name),
            ])  # fmt: skip
            self._port.value = before if before in {*names, SILENT.name} else ANY_PORT
        self._port_name = str(self._port.value)

    def set_program(self, program: int) -> None:
        """Choose the instrument that a piece was written for."""
        self._program.value = program

    @on(Select.Changed, "#port")
    def _port_chosen(self, event: Select.Changed) -> None:
        event.stop()
        if event.value != self._port_name:
            self._port_name = str(event.value)
            self.post_message(self.PortChosen(self._port_name or None))

    @on(Select.Changed, "#program")
    def _program_chosen(self, event: Select.Changed) -> None:
        event.stop()
        self._play_so()

    def _play_so(self) -> None:
        values = {name: field.meaning() for name, field in self._how.items()}
        playing = PlaybackSettings(**values, program=int(self._program.selection or 0))
        if playing != self._playing:
            self._playing = playing
            self.post_message(self.PlayingChanged(playing))

    def step(self, name: str, steps: int) -> None:
        """Change a number by so many steps."""
        field = self._writing.get(name) or self._how[name]
        assert isinstance(field, StepField)
        field.action_step(steps)
