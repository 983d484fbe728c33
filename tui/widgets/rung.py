"""One rung of the ladder: a model, how good it is, and what it writes."""

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from tui.model.ladder import Step, in_line
from tui.model.text import clean


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
