"""The form of the Ladder page, and the view of a rung."""

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from engine.options import LYRICS_OPTIONS
from engine.protocol import SampleLadder
from tui.formatting import clean
from tui.pages.ladder.rungs import Rung, in_line
from tui.widgets.fields import FormPanel, PrimeField, option_field, row

_OPTIONS = ("temperature", "seed")


class LadderControls(FormPanel):
    """The fields that hold for all rungs: the prompt and the options of decoding."""

    DEFAULT_CSS = """
    LadderControls {
        height: auto;
        overflow-y: hidden;
        & > Horizontal { margin-bottom: 0; }
        & StepField.-textual-compact { width: 1fr; }
    }
    """

    def __init__(self) -> None:
        self._prime = PrimeField()
        temperature, seed = (LYRICS_OPTIONS[name] for name in _OPTIONS)
        super().__init__(
            self._prime, option_field(temperature, "0.7"), option_field(seed), describe=False
        )

    def compose_rows(self) -> Iterable[Widget]:
        """Return the rows of the fields, without − and + to click, for which there is no room."""
        return (row(field.label, field) for field in self.fields.values())

    def request(self) -> SampleLadder:
        """Return the request for all rungs; raises InputError where a field is wrong."""
        model, values = self.require_model(), self.values(_OPTIONS)
        self._prime.remember()
        return SampleLadder(model, self._prime.value, **values)


class RungView(Horizontal, can_focus=True):
    """A rung: a box with its text, or a row with a label before it, by the page's classes."""

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

    def show(self, rung: Rung, prime: str, max_bits: float, with_bar: bool) -> None:
        """Show a rung and, once it has a text, the prompt.

        max_bits: the bits per character that fill the bar. with_bar: draw the bar.
        """
        shown = rung.name, rung.bits, len(rung.text), prime, max_bits, with_bar
        if shown == self._shown:
            return
        self._shown = shown
        self.border_title = clean(rung.name)
        self.border_subtitle = rung.figure
        label, text = self.query(Static)
        label.update(rung.label(max_bits, with_bar))
        words = Content("")
        if rung.text:
            words = Content.assemble((in_line(prime), "bold underline"), Content(rung.line))
        text.update(words)
