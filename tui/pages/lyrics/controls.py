"""The panel of the Lyrics page that says what is to be written, and by which model."""

from collections.abc import Sequence
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.style import Style
from textual.widgets import Input, Label, Select, Static

from engine.errors import InputError
from engine.protocol import SAMPLING_OPTIONS, SampleLyrics
from tui.formatting import clean
from tui.pages.lyrics import options
from tui.pages.lyrics.artist_field import ArtistField
from tui.sources.models import ModelChoice
from tui.widgets.fields import Field, PrimeField, TemperatureField
from tui.widgets.model_select import ModelSelect

PLACEHOLDERS = {
    "top_k": "all",
    "top_p": "1",
    "min_p": "0",
    "guidance": "1",
    "repetition": "0",
    "memory": "1",
    "line": "as they come",
    "length": "until it ends",
    "count": "1",
    "seed": "new each time",
}
TOOLTIPS = {
    "prime": "How the song begins; up and down bring back earlier beginnings",
    "temperature": "How daring: 0 always takes the likeliest character, inf none in particular",
    "top_k": "Choose among so many likeliest characters only",
    "top_p": "Choose among the likeliest characters that share so much probability",
    "min_p": "Leave out characters less probable than this share of the likeliest's",
    "guidance": "How far the artist is followed: 0 not at all, 2 more than the songs themselves",
    "repetition": "Penalty on saying again what was said a moment ago: 1 is much",
    "memory": "How far the model's memory of the song is believed, 0 to 1, if it has one",
    "line": "A line that has so many characters ends at the next space; words stay whole",
    "artist": "Whose manner: a name, or a mix as Ada Moor=0.7, Quiet Harbour=0.3",
    "length": "How many characters to write",
    "count": "How many songs to write side by side, to pick one from",
    "seed": "The same seed and settings write the same song again",
}


def _step(sign: str, steps: int) -> Content:
    """A sign that changes the temperature when it is clicked."""
    return Content.styled(sign, Style.from_meta({"@click": f"screen.temperature({steps})"}))


class LyricsControls(VerticalScroll, can_focus=False):
    """Model, beginning, artist and the rules of decoding; wrong values are said at once."""

    DEFAULT_CSS = """
    LyricsControls {
        width: 48;
        padding: 1 2;
        scrollbar-size-vertical: 1;
        & Horizontal { height: 1; margin-bottom: 1; }
        & #chooser { margin-bottom: 0; }
        & Label { width: 13; color: $text-muted; }
        & Input.-textual-compact { width: 1fr; padding: 0 1; background: $surface; }
        & Input.-textual-compact:focus { background: $panel; }
        & #temperature { width: 8; }
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

    def __init__(self) -> None:
        super().__init__()
        self._select = ModelSelect()
        self._artist = ArtistField()
        self._prime = PrimeField()
        self._temperature = TemperatureField("0.7", "0.7", "temperature")
        others = {name: Field("", blank, name) for name, blank in PLACEHOLDERS.items()}
        self._numbers: dict[str, Field] = {"temperature": self._temperature, **others}

    def compose(self) -> ComposeResult:
        """One field a row."""
        with Horizontal(id="chooser"):
            yield Label("Model")
            yield self._select
        yield Static(id="words", markup=False)
        with Horizontal():
            yield Label("Begins with")
            yield self._prime
        with Horizontal():
            yield Label("Artist")
            yield self._artist
        for name, field in self._numbers.items():
            with Horizontal():
                yield Label(name.capitalize().replace("_", "-"))
                if field is self._temperature:
                    yield Static(_step("−", -1), classes="step")
                yield field
                if field is self._temperature:
                    yield Static(_step("+", 1), classes="step")
        yield Static(id="problem", markup=False)

    def on_mount(self) -> None:
        """Explain the fields."""
        for name, words in TOOLTIPS.items():
            self.query_one(f"#{name}", Input).tooltip = words

    # ── the model ────────────────────────────────────────────────────────────────────────────────

    @property
    def model(self) -> ModelChoice | None:
        """The model chosen."""
        return self._select.model

    @property
    def model_name(self) -> str:
        """What the sampler calls the chosen model: its path where another has the same name."""
        return self._select.model_name

    @property
    def score(self) -> str:
        """How good the chosen model is, in words."""
        return self.model.score if self.model else ""

    @property
    def prime(self) -> str:
        """How the next song begins."""
        return self._prime.value

    def set_models(self, models: Sequence[ModelChoice]) -> None:
        """Offer these; what was chosen stays so where it is still there."""
        self._select.set_models(models)
        self._describe()

    @on(Select.Changed, "#model")
    def _chosen(self, event: Select.Changed) -> None:
        event.stop()
        self._describe()
        self.post_message(self.ModelChosen())

    def _describe(self) -> None:
        words = (self.model.summary, self.model.score) if self.model else ()
        line = self.query_one("#words", Static)
        line.update(clean(" · ".join(filter(None, words))))
        line.display = any(words)
        memory = self._numbers["memory"]
        memory.disabled = not (self.model and self.model.match_memory)
        memory.placeholder = "it has none" if memory.disabled else PLACEHOLDERS["memory"]
        if memory.disabled:
            memory.value = ""

    def suggest(self) -> None:
        """Choose an artist, where none is chosen; the beginning has a suggestion from the start."""
        if not self._artist.value():
            self._artist.choose_first()

    def set_artists(self, artists: Sequence[str]) -> None:
        """Offer these artists."""
        self._artist.set_artists(artists)
        self.check()

    # ── the request ──────────────────────────────────────────────────────────────────────────────

    def request(self) -> SampleLyrics:
        """What the fields ask for. Raises InputError where one of them is wrong."""
        if self.model is None:
            raise InputError("There is no model to write with: press r to look again.")
        problems = self._problems()
        if problems:
            raise InputError(next(iter(problems.values())))
        values = {name: self._value(name) for name in self._numbers}
        artist, mix = self._artist.value(), self._artist.mix
        bits = values["count"] > 1  # they tell which song is the likeliest
        sampling = {name: values.pop(name) for name in SAMPLING_OPTIONS}
        return SampleLyrics(
            self.model_name, self._prime.value, artist, mix, sampling, bits=bits, **values
        )

    def take(self) -> None:
        """Choose what is marked in the list of artists, and note the beginning for the up key."""
        self._artist.take()
        self._prime.remember()

    def cancel(self) -> None:
        """Go back to the artist chosen before, where another was being typed."""
        self._artist.cancel()

    @property
    def temperature(self) -> float | None:
        """The temperature in its field, None where that is wrong."""
        try:
            return float(self._value("temperature"))
        except InputError:
            return None

    def warm(self, steps: int) -> None:
        """Change the temperature by so many tenths."""
        self._temperature.action_warm(steps)

    def keep(self, seed: int | None) -> None:
        """Keep a seed for the songs to come; one kept already is let go of."""
        field = self._numbers["seed"]
        field.value = "" if field.value or seed is None else str(seed)

    def _value(self, name: str) -> Any:
        return options.NUMBERS[name](self._numbers[name].value.strip())

    def _problems(self) -> dict[str, str]:
        """A sentence for each field that is wrong, by its id."""
        problems = {}
        for name in ("artist", *self._numbers):
            try:
                self._artist.value() if name == "artist" else self._value(name)
            except InputError as error:
                problems[name] = str(error)
        guided = not {"artist", "guidance"} & problems.keys() and self._value("guidance") != 1
        if guided and not (self._artist.value() or self._artist.mix):
            problems["guidance"] = "There is no artist to be guided by: choose one, or a mix."
        return problems

    def wrong_field(self) -> str | None:
        """The id of the first field that is wrong."""
        return next(iter(self._problems()), None)

    @on(Input.Changed)
    def check(self) -> None:
        """Mark the fields that are wrong, and say what is wrong with the first."""
        problems = self._problems()
        for field in self.query(Input):
            field.set_class(field.id in problems, "-invalid")
        sentence = f"✗ {next(iter(problems.values()))}" if problems else ""
        self.query_one("#problem", Static).update(clean(sentence))
