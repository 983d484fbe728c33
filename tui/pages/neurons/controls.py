"""The panel of the Neurons page: the model, the unit in view, and the best unit of each feature."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, Label, OptionList, Static, TextArea

from engine.protocol import Feature
from tui.pages.neurons import units
from tui.pages.neurons.units import Unit
from tui.widgets.model_select import ModelChooser


class UnitField(Input):
    """The unit in view; another can be typed."""

    BINDING_GROUP_TITLE = "The unit"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "See it", id="neurons.field.see",
                tooltip="See the unit typed, as 2:117: layer and number"),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__(placeholder="layer:number", id="unit", compact=True)


class NeuronControls(Vertical):
    """Up and down go through the features, each of which brings its best unit into view."""

    DEFAULT_CSS = """
    NeuronControls {
        width: 42;
        padding: 1 2;
        & ModelChooser { margin-bottom: 1; }
        & Horizontal { height: 1; }
        & Label { width: 7; color: $text-muted; }
        & Input.-textual-compact { width: 1fr; padding: 0 1; background: $surface; }
        & Input.-textual-compact:focus { background: $panel; }
        & #problem { height: auto; color: $text-error; text-style: bold; }
        & #heads { height: 1; margin-top: 1; color: $text-muted; }
        & #features { height: 1fr; border: none; padding: 0; background: $background;
                       scrollbar-size-vertical: 1; }
        & #features:focus { background-tint: $foreground 0%; }
        & #features > .option-list--option { padding: 0; text-wrap: nowrap; }
    }
    """

    class UnitChosen(Message):
        """Another unit is to be seen."""

        def __init__(self, unit: Unit) -> None:
            super().__init__()
            self.unit = unit

    def __init__(self) -> None:
        super().__init__()
        self.features: tuple[Feature, ...] = ()
        self._ranks: list[int] = []  # which of its best units each feature shows
        self._list = OptionList(id="features", markup=False)

    def compose(self) -> ComposeResult:
        """The fields, then the list."""
        yield ModelChooser()
        with Horizontal():
            yield Label("Unit")
            yield UnitField()
        yield Static(id="problem", markup=False)
        yield Static(f"{'goes with':<14} {'unit':>7}     r", id="heads", markup=False)
        yield self._list

    @property
    def best(self) -> Unit | None:
        """The unit that the feature chosen shows."""
        place = self._list.highlighted
        if place is None or not self.features[place].units:
            return None
        layer, number, _ = self.features[place].units[self._ranks[place]]
        return Unit(layer, number)

    def set_features(self, features: Sequence[Feature]) -> None:
        """Offer these; the one chosen stays so."""
        before = self._list.highlighted
        self.features = tuple(features)
        self._ranks = [0] * len(features)
        with self.prevent(OptionList.OptionHighlighted):
            self._list.set_options([units.line(feature) for feature in features])
            self._list.highlighted = min(before or 0, len(features) - 1) if features else None

    def show(self, unit: Unit) -> None:
        """Say which unit is in view."""
        self.query_one(UnitField).value = str(unit)
        self.say("")

    def say(self, problem: str) -> None:
        """Say what is wrong with the unit typed."""
        line = self.query_one("#problem", Static)
        line.update(f"✗ {problem}" if problem else "")
        line.display = bool(problem)

    def rank(self, steps: int) -> None:
        """Take a better or a worse unit of the feature chosen."""
        place = self._list.highlighted
        if place is None or not self.features[place].units:
            return
        feature = self.features[place]
        rank = min(max(self._ranks[place] + steps, 0), len(feature.units) - 1)
        self._ranks[place] = rank
        self._list.replace_option_prompt_at_index(place, units.line(feature, rank))
        self._choose()

    @on(OptionList.OptionHighlighted, "#features")
    @on(OptionList.OptionSelected, "#features")
    def _choose(self) -> None:
        if self.best is not None:
            self.post_message(self.UnitChosen(self.best))


class TextDialog(ModalScreen[str | None]):
    """Ends with the text, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s,ctrl+enter", "read", "Read", id="neurons.text.read", priority=True,
                tooltip="Have the network read the text"),
        Binding("escape", "dismiss(None)", "Cancel", id="neurons.text.cancel", priority=True,
                tooltip="Go back to the text in view"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    TextDialog {
        & TextArea { height: 12; margin: 1 0; background: $panel; border: none; padding: 0 1; }
        & Static { height: auto; color: $text-muted; }
    }
    """

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        """A question, the field, and which keys end it."""
        with Vertical(classes="dialog wide"):
            yield Label("A text for the network to read")
            yield TextArea(self._text, tab_behavior="focus")
            yield Static("ctrl+s: read it · escape: go back", markup=False)

    def action_read(self) -> None:
        """Take the text."""
        self.dismiss(self.query_one(TextArea).text)
