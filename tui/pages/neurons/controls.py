"""The panel of the Neurons page: the model, the unit in view, and the units of each feature."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Label, OptionList, Static, TextArea

from engine.protocol import Feature
from tui.pages.neurons import units
from tui.pages.neurons.units import Unit
from tui.widgets.fields import FormPanel, row
from tui.widgets.styling import StyledOnce


class UnitField(Input):
    """The field that shows the unit in view, and in which another unit can be typed."""

    BINDING_GROUP_TITLE = "Unit"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Show", id="neurons.field.show",
                tooltip="Show the unit typed as layer:number, for example 2:117"),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__(placeholder="layer:number", id="unit", compact=True)


class NeuronControls(FormPanel):
    """The form, and a list of features; highlighting one shows the unit that tracks it best."""

    DEFAULT_CLASSES = "-side"
    DEFAULT_CSS = """
    NeuronControls {
        overflow-y: hidden;
        & > Horizontal { margin-bottom: 0; }
        & Label { width: 7; }
        & #model-info { margin: 0 0 0 8; }
        & #unit-row { margin-top: 1; }
        & #heads { height: 1; margin-top: 1; color: $text-muted; }
        & #features { height: 1fr; border: none; padding: 0; background: $background;
                       scrollbar-size-vertical: 1; }
        & #features:focus { background-tint: $foreground 0%; }
        & #features > .option-list--option { padding: 0; text-wrap: nowrap; }
    }
    """

    class UnitChosen(Message):
        """Another unit was chosen."""

        def __init__(self, unit: Unit) -> None:
            super().__init__()
            self.unit = unit

    def __init__(self) -> None:
        super().__init__()
        self.features: tuple[Feature, ...] = ()
        self._ranks: list[int] = []  # for each feature, the index of its listed unit
        self._list = OptionList(id="features", markup=False)

    def compose_rows(self) -> Iterable[Widget]:
        """Return the row of the unit."""
        unit_row = row("Unit", UnitField())
        unit_row.id = "unit-row"
        return [unit_row]

    def compose(self) -> ComposeResult:
        """Lay out the form and, below it, the list of features."""
        yield from super().compose()
        yield Static(f"{'tracks':<9} {'unit · correlation':>18}", id="heads", markup=False)
        yield self._list

    def check(self) -> None:
        """Check nothing while typing: a unit is checked when it is submitted."""

    @property
    def best(self) -> Unit | None:
        """The unit listed with the highlighted feature; None without a feature or unit."""
        index = self._list.highlighted
        if index is None or not self.features[index].units:
            return None
        layer, number, _ = self.features[index].units[self._ranks[index]]
        return Unit(layer, number)

    def set_features(self, features: Sequence[Feature]) -> None:
        """List these features; the highlight stays on the same line."""
        before = self._list.highlighted
        self.features = tuple(features)
        self._ranks = [0] * len(features)
        with self.prevent(OptionList.OptionHighlighted):
            self._list.set_options([units.line(feature) for feature in features])
            self._list.highlighted = min(before or 0, len(features) - 1) if features else None

    def show_unit(self, unit: Unit) -> None:
        """Show which unit is in view."""
        self.query_one(UnitField).value = str(unit)
        self.show_problem("")

    def move_rank(self, steps: int) -> None:
        """Choose the unit `steps` further down the list of the highlighted feature's best units."""
        index = self._list.highlighted
        if index is None or not self.features[index].units:
            return
        feature = self.features[index]
        rank = min(max(self._ranks[index] + steps, 0), len(feature.units) - 1)
        self._ranks[index] = rank
        self._list.replace_option_prompt_at_index(index, units.line(feature, rank))
        self._choose()

    @on(OptionList.OptionHighlighted, "#features")
    @on(OptionList.OptionSelected, "#features")
    def _choose(self) -> None:
        if self.best is not None:
            self.post_message(self.UnitChosen(self.best))


class TextDialog(StyledOnce, ModalScreen[str | None]):
    """A dialog that asks for a text and returns it, or None if it was cancelled."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s,ctrl+enter", "read", "Read", id="neurons.text.read", priority=True,
                tooltip="Let the network read the text"),
        Binding("escape", "dismiss(None)", "Cancel", id="neurons.text.cancel", priority=True,
                tooltip="Return to the text in view"),
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
        """Lay out a question, the field, and the keys."""
        with Vertical(classes="dialog wide"):
            yield Label("A text for the network to read")
            yield TextArea(self._text, tab_behavior="focus")
            yield Static("ctrl+s: read · escape: cancel", markup=False)

    def action_read(self) -> None:
        """Return the text."""
        self.dismiss(self.query_one(TextArea).text)
