"""The fields of the Ladder page: the model on top, and what all rungs are to write."""

from collections.abc import Callable
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Horizontal
from textual.content import Content
from textual.widgets import Input, Label, Static

from engine.errors import InputError
from engine.protocol import SampleLadder
from tui.formatting import clean
from tui.pages.ladder.ladder import Step, in_line
from tui.widgets import fields
from tui.widgets.fields import Field, PrimeField, TemperatureField
from tui.widgets.model_select import ModelSelect

_NUMBERS: dict[str, Callable[[str], Any]] = {
    "temperature": fields.temperature,
    "seed": fields.seed,
}


class LadderControls(Container):
    """Wrong values are said at once."""

    DEFAULT_CSS = """
    LadderControls {
        height: auto;
        & Horizontal { height: 1; }
        & Label { width: 13; color: $text-muted; }
        & Input.-textual-compact { width: 1fr; padding: 0 1; background: $surface; }
        & Input.-textual-compact:focus { background: $panel; }
        & Select { width: 1fr; }
        & Select.-textual-compact > SelectCurrent { padding: 0 1; }
        & Select:focus > SelectCurrent { background: $panel; text-style: bold; }
        & #problem { height: auto; color: $text-error; text-style: bold; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.select = ModelSelect()
        self._prime = PrimeField()
        self._temperature = TemperatureField("0.7", "0.7", "temperature")
        self._seed = Field("", "new each time", "seed")

    def compose(self) -> ComposeResult:
        """One field a row."""
        rows = {
            "Model": self.select,
            "Begins with": self._prime,
            "Temperature": self._temperature,
            "Seed": self._seed,
        }
        for name, widget in rows.items():
            with Horizontal():
                yield Label(name)
                yield widget
        yield Static(id="problem", markup=False)

    @property
    def prime(self) -> str:
        """How all rungs begin."""
        return self._prime.value

    def request(self) -> SampleLadder:
        """What the fields ask for. Raises InputError where one of them is wrong."""
        if self.select.model is None:
            raise InputError("There is no model to put on top: press r to look again.")
        values = {name: self._value(name) for name in _NUMBERS}
        self._prime.remember()
        return SampleLadder(self.select.model_name, self.prime, **values)

    def warm(self, steps: int) -> None:
        """Change the temperature by so many tenths."""
        self._temperature.action_warm(steps)

    def _value(self, name: str) -> Any:
        return _NUMBERS[name](self.query_one(f"#{name}", Input).value.strip())

    @on(Input.Changed)
    def check(self) -> None:
        """Mark the fields that are wrong, and say what is wrong with the first."""
        problems = {}
        for name in _NUMBERS:
            try:
                self._value(name)
            except InputError as error:
                problems[name] = str(error)
        for field in self.query(Input):
            field.set_class(field.id in problems, "-invalid")
        sentence = f"✗ {next(iter(problems.values()))}" if problems else ""
        self.query_one("#problem", Static).update(clean(sentence))
        self.query_one("#problem").display = bool(problems)


class RungView(Horizontal, can_focus=True):
    """A box with the text, or a row with a label before it, as the page's classes say."""

    DEFAULT_CSS = """
    RungView {
        & .label { width: auto; padding: 0 2 0 1; color: $text-muted; text-wrap: nowrap; }
        & .text { width: 1fr; height: 1fr; }
        &:focus .label { color: $text; text-style: bold; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        """Lay out the label and the text."""
        yield Static(classes="label", markup=False)
        yield Static(classes="text", markup=False)

    def show(self, step: Step, prime: str, most: float, with_bar: bool) -> None:
        """Show a rung; prime: what stands before its text, once it writes; most: bits of a bar."""
        shown = step.name, step.bits, len(step.text), prime, most, with_bar
        if shown == self._shown:
            return
        self._shown = shown
        self.border_title = clean(step.name)
        self.border_subtitle = step.figure
        label, text = self.query(Static)
        label.update(step.label(most, with_bar))
        words = Content("")
        if step.text:
            words = Content.assemble((in_line(prime), "bold underline"), Content(step.line))
        text.update(words)
