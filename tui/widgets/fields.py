"""The form of a page: the choice of a model, and a row for each field."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.geometry import Offset, Region, Spacing
from textual.style import Style
from textual.widget import Widget
from textual.widgets import Button, Input, Label, Select, Static

from engine.errors import InputError
from engine.options import AnyOption, OptionValue, TextOption
from tui.formatting import clean
from tui.sources.models import ModelChoice
from tui.sources.settings import State
from tui.widgets.model_select import ModelSelect

_SUBMIT = Binding(
    "enter", "submit", "Write", id="field.submit", tooltip="Write with the values of the fields"
)

_SHORT = 6  # characters of a placeholder that a field with two signs around it has room for


def step_option(option: AnyOption, text: str, steps: int) -> str:
    """Return the text of an option's field, moved by `steps`.

    A number moves to a multiple of its step size; the default takes the place of a wrong text, and
    the lowest number is the first where there is no default. A word moves on in the cycle of the
    default, the suggestions and the choices; any other text, to its first or last.
    """
    if isinstance(option, TextOption):
        return _next_choice(option, text, steps)
    assert option.step is not None
    size, low, high = option.step
    try:
        value = option.parse(text)
    except InputError:
        value = option.default
    if value is None:
        return f"{low:g}"
    if option.type is int:  # in whole numbers: a seed can have more digits than a float has
        value, size = int(min(max(value, low), high)), int(size)
        whole = value // size if steps > 0 else -(-value // size)
        return f"{min(max((whole + steps) * size, low), high)}"
    units = min(max(value, low), high) / size
    # 0.75 has the neighbors 0.7 and 0.8. The margin is for 0.7 / 0.1 = 6.999….
    nearest = math.floor(units + 1e-6) if steps > 0 else math.ceil(units - 1e-6)
    return f"{round(min(max((nearest + steps) * size, low), high), 6):g}"


def _next_choice(option: TextOption, text: str, steps: int) -> str:
    choices = list(dict.fromkeys((option.default, *option.suggestions, *option.choices)))
    try:
        index = choices.index(option.parse(text))
    except (InputError, ValueError):
        index = -1 if steps > 0 else 0
    return choices[(index + steps) % len(choices)]


def set_text(line: Static, text: str) -> None:
    """Show another text; the same text again would lay out the whole page again."""
    if line.content != text:
        line.update(text)


class Field(Input):
    """A field of one row; enter submits the form.

    parse: turns the text, without spaces around it, into a value; raises InputError if it is wrong.
    """

    BINDING_GROUP_TITLE = "Fields"
    BINDINGS: ClassVar[list[BindingType]] = [_SUBMIT]

    def __init__(
        self,
        name: str,
        label: str,
        placeholder: str,
        parse: Callable[[str], Any],
        help: str,  # noqa: A002 (as in Option)
        value: str = "",
    ) -> None:
        super().__init__(value, placeholder=placeholder, id=name, compact=True, tooltip=help)
        self.label = label
        self._parse = parse
        self._focused_now = False  # no click since it got the focus
        self._selects = False  # whether the click that is being made selects the text

    def parse(self) -> Any:
        """Return the value of the text; raises InputError where it is wrong."""
        return self._parse(self.value.strip())

    def on_focus(self) -> None:
        """Note that the next click may be the one that gave it the focus."""
        self._focused_now = True

    def on_mouse_down(self) -> None:
        """Note whether the text is selected because the field has just got the focus."""
        self._selects, self._focused_now = self._focused_now, False

    def on_mouse_up(self) -> None:
        """Select the text after a first click, as after a key: Textual would set the cursor."""
        if self._selects and self.selection.is_empty:
            self.select_all()
        self._selects = False

    def rename_submit(self, name: str) -> None:
        """Change what the footer calls the enter key."""
        self._bindings.key_to_bindings["enter"] = [replace(_SUBMIT, description=name)]


class PrimeField(Field):
    """The field of the prompt. The up and down keys recall prompts that were used before."""

    BINDING_GROUP_TITLE = "Prompt"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "recall(-1)", "Previous", show=False, id="prime.previous",
                tooltip="Recall the previous prompt"),
        Binding("down", "recall(1)", "Next", show=False, id="prime.next",
                tooltip="Recall the next prompt"),
    ]  # fmt: skip

    def __init__(self) -> None:
        help_ = "How the song begins; up and down recall previous prompts."
        super().__init__("prime", "Prompt", "none", str, help_, value="Why")
        self._history: list[str] = []
        self._index = 0

    def parse(self) -> str:
        """Return the text with the spaces around it, which are a part of a prompt."""
        return self.value

    def remember(self) -> None:
        """Add the text to the end of the history."""
        self._history = [*(text for text in self._history if text != self.value), self.value]
        self._index = len(self._history) - 1

    def action_recall(self, steps: int) -> None:
        """Show the text `steps` later in the history; negative: earlier."""
        if self._history:
            self._index = min(max(self._index + steps, 0), len(self._history) - 1)
            self.value = self._history[self._index]


class OptionField(Field):
    """The field of an option of decoding or playback; blank means the default."""

    BINDINGS: ClassVar[list[BindingType]] = [_SUBMIT]  # again, for the list of keys

    def __init__(self, option: AnyOption, value: str = "") -> None:
        super().__init__(
            option.name, option.label, option.placeholder, option.parse, option.help, value
        )
        self.option = option
        self.set_class(len(option.placeholder) > _SHORT, "-long")


class StepField(OptionField):
    """A number that the up and down keys change, within the range of its option's steps."""

    SIGNS = "−+"  # to click, before and after the field
    BINDING_GROUP_TITLE = "Numbers"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "step(1)", "More", show=False, id="field.up",
                tooltip="Increase the number by one step"),
        Binding("down", "step(-1)", "Less", show=False, id="field.down",
                tooltip="Decrease the number by one step"),
    ]  # fmt: skip

    def action_step(self, steps: int) -> None:
        """Change the number by `steps` of its option's steps."""
        self.value = step_option(self.option, self.value.strip(), steps)


class ChoiceField(StepField):
    """A word that the up and down keys change to another of its option's choices."""

    SIGNS = "‹›"
    BINDING_GROUP_TITLE = "Choices"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "step(-1)", "Previous", show=False, id="choice.previous",
                tooltip="Change the field to the previous choice"),
        Binding("down", "step(1)", "Next", show=False, id="choice.next",
                tooltip="Change the field to the next choice"),
    ]  # fmt: skip


def option_field(option: AnyOption, value: str = "") -> OptionField:
    """Return a field for an option: a `StepField` if it has steps, a `ChoiceField` for a text."""
    if isinstance(option, TextOption):
        return ChoiceField(option, value)
    return StepField(option, value) if option.step else OptionField(option, value)


def option_text(option: AnyOption, value: OptionValue | None) -> str:
    """Return the text of an option's field for a value; blank for the default."""
    if value is None or value == option.default:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def row(label: str, *widgets: Widget, name: str | None = None) -> Horizontal:
    """Return a row of a form: a label and widgets. name: that of its field."""
    return Horizontal(Label(label), *widgets, name=name)


def field_row(field: Field) -> Horizontal:
    """Return the row of a field, with two signs to click around a `StepField`."""
    if isinstance(field, StepField):
        signs = zip(field.SIGNS, (-1, 1), strict=True)
        before, after = (_step_sign(sign, field, steps) for sign, steps in signs)
        return row(field.label, before, field, after, name=field.id)
    return row(field.label, field, name=field.id)


def _step_sign(sign: str, field: Field, steps: int) -> Static:
    style = Style.from_meta({"@click": f"screen.step({field.id!r},{steps})"})
    return Static(Content.styled(sign, style), classes="step")


class MoreButton(Button):
    """Shows the fields that are rarely changed, or hides them."""

    BINDING_GROUP_TITLE = "Fields"

    def __init__(self) -> None:
        super().__init__(id="more", compact=True, tooltip="Show all fields, or only the first")


class FormPanel(VerticalScroll, can_focus=False):
    """The form of a page: the model and the fields.

    Wrong values are marked and explained at once; the field in use is explained at the bottom.

    describe: show the architecture and the score of the model below its name. rare: the names of
    fields that are shown only after a press of "More".
    """

    DEFAULT_CSS = """
    FormPanel {
        width: 42;
        padding: 1 2;
        scrollbar-size-vertical: 1;
        & > Horizontal { height: 1; margin-bottom: 1; }
        & .described { margin-bottom: 0; }
        & Label { width: 13; color: $text-muted; }
        & Input.-textual-compact { width: 1fr; padding: 0 1; background: $surface; }
        & Input.-textual-compact:focus { background: $panel; }
        & Input.-textual-compact:ansi, & Select:ansi { text-style: underline; }
        & StepField.-textual-compact { width: 8; }
        & ChoiceField.-textual-compact { width: 10; }
        & StepField.-long { width: 1fr; }
        & Select { width: 1fr; }
        & Select.-textual-compact > SelectCurrent { padding: 0 1; }
        & Select:focus > SelectCurrent { background: $panel; text-style: bold; }
        & .step { width: auto; padding: 0 1; link-style: bold; link-style-hover: reverse; }
        & #model-info { height: 1; margin: 0 0 1 14; color: $text-muted;
                        text-wrap: nowrap; text-overflow: ellipsis; }
        & #problem { height: auto; color: $text-error; text-style: bold; }
        & #explanation { display: none; dock: bottom; height: auto; max-height: 4;
                         color: $text-muted; background: $background; }
        & #more { min-width: 0; margin: 0 0 1 0; }
        & .rare { display: none; }
        &.-more .rare { display: block; }
    }
    """

    def __init__(self, *fields: Field, describe: bool = True, rare: Iterable[str] = ()) -> None:
        super().__init__()
        self._rare = set(rare)
        self.models = ModelSelect()
        self.fields = {str(field.id): field for field in fields}
        self._describe = describe

    def compose(self) -> ComposeResult:
        """Lay out the model, the other rows, and a line for problems."""
        model_row = row("Model", self.models)
        yield model_row
        if self._describe:
            model_row.add_class("described")
            yield Static(id="model-info", markup=False)
        if not self._rare:
            yield from self.compose_rows()
        else:
            rows = list(self.compose_rows())
            rare = [one for one in rows if one.name in self._rare]
            yield from (one for one in rows if one not in rare)
            yield MoreButton()
            for one in rare:
                one.add_class("rare")
                yield one
        yield Static(id="explanation", markup=False)
        problem = Static(id="problem", markup=False)
        problem.display = False
        yield problem

    def compose_rows(self) -> Iterable[Widget]:
        """Return the rows below the model: one for each field."""
        return map(field_row, self.fields.values())

    # ── more fields, and what a field means ──────────────────────────────────────────────────────

    def on_mount(self) -> None:
        """Show the first fields."""
        self.show_more(False)

    @property
    def more(self) -> bool:
        """Whether all fields are shown."""
        return self.has_class("-more")

    def show_more(self, more: bool) -> None:
        """Show all fields, or only the first."""
        self.set_class(more, "-more")
        for button in self.query(MoreButton):
            button.label = "▾ Fewer fields" if more else f"▸ {len(self._rare)} more fields"

    @on(Button.Pressed, "#more")
    def _more_pressed(self) -> None:
        self.show_more(not self.more)

    def reveal(self, name: str) -> None:
        """Show a field that may be hidden."""
        if name in self._rare:
            self.show_more(True)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Explain the field in use."""
        self._explain(event.widget.tooltip)

    def on_descendant_blur(self) -> None:
        """Explain no field."""
        self._explain(None)

    def _explain(self, text: object) -> None:
        for line in self.query("#explanation").results(Static):
            set_text(line, str(text or ""))
            line.display = bool(text) and not self.query_one("#problem").display
        focused = self.screen.focused
        if text and focused is not None:
            self.call_after_refresh(focused.scroll_visible, animate=False)

    # ── kept over restarts ───────────────────────────────────────────────────────────────────────

    def state(self) -> dict[str, State]:
        """Return what is kept: the fields, the model that was chosen, and whether all are shown."""
        fields = {name: field.value for name, field in self.fields.items()}
        return {"fields": fields, "form": {"more": self.more, "model": self.models.chosen}}

    def restore(self, saved: Mapping[str, State]) -> None:
        """Fill in the fields that were kept."""
        for name, value in saved.get("fields", {}).items():
            if name in self.fields and isinstance(value, str):
                self.fields[name].value = value
        kept = saved.get("form", {})
        self.models.chosen = str(kept.get("model", ""))
        if kept.get("more") is True:
            self.show_more(True)

    # ── the model ────────────────────────────────────────────────────────────────────────────────

    @property
    def model(self) -> ModelChoice | None:
        """The chosen model; None while there are no models."""
        return self.models.model

    def require_model(self) -> str:
        """Return the chosen model's name for the sampler; raises InputError without a model."""
        if self.model is None:
            raise InputError("There is no model: press r to look again.")
        return self.models.model_name

    def set_models(self, models: Sequence[ModelChoice]) -> None:
        """Offer these models; the chosen one stays chosen if it is among them."""
        self.models.set_models(models)
        self.show_model()

    @on(Select.Changed, "#model")
    def _model_changed(self) -> None:
        self.show_model()

    def show_model(self) -> None:
        """Describe the chosen model."""
        for line in self.query("#model-info").results(Static):
            set_text(line, self.models.description)

    # ── values ───────────────────────────────────────────────────────────────────────────────────

    def values(self, names: Iterable[str]) -> dict[str, Any]:
        """Return the values of the named fields; raises InputError if one is wrong."""
        return {name: self.fields[name].parse() for name in names}

    def problems(self) -> dict[str, str]:
        """Return the problems by the names of their fields, a sentence each."""
        problems = {}
        for name, field in self.fields.items():
            try:
                field.parse()
            except InputError as error:
                problems[name] = str(error)
        return problems

    def wrong_field(self) -> str | None:
        """Return the name of the first field that is wrong; None if all are correct."""
        return next(iter(self.problems()), None)

    @on(Input.Changed)
    def _input_changed(self) -> None:
        self.check()

    def check(self) -> None:
        """Mark the fields that are wrong, and explain the first of them."""
        problems = self.problems()
        for field in self.query(Field):
            field.set_class(field.id in problems, "-invalid")
        self.show_problem(next(iter(problems.values()), ""))

    def show_problem(self, sentence: str) -> None:
        """Show a problem below the fields; an empty sentence removes it."""
        line = self.query_one("#problem", Static)
        set_text(line, clean(f"✗ {sentence}") if sentence else "")
        line.display = bool(sentence)
        if sentence:
            self._explain(None)
        focused = self.screen.focused
        if sentence and focused and focused.id in self.fields:
            self.call_after_refresh(focused.scroll_visible, animate=False)

    def scroll_to_region(
        self, region: Region, *, spacing: Spacing | None = None, **options: Any
    ) -> Offset:
        """Scroll a region into view, above the problem if that is docked below the fields."""
        for line in (self.query_one("#problem"), self.query_one("#explanation")):
            if line.display and line.styles.dock != "none":
                spacing = Spacing(bottom=line.outer_size.height)
        return super().scroll_to_region(region, spacing=spacing, **options)

    def step(self, name: str, steps: int) -> None:
        """Change the number or the word in a field by `steps`."""
        field = self.fields[name]
        assert isinstance(field, StepField)
        if not field.disabled:
            field.action_step(steps)

    def lock_seed(self, seed: int | None) -> None:
        """Put a seed into its field, or clear the field if it is filled already."""
        field = self.fields["seed"]
        field.value = "" if field.value or seed is None else str(seed)
