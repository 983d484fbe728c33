"""The Ladder page: one beginning, continued by models from chance up to the network."""

import dataclasses
from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widgets import Input, Select, Static

from engine.errors import InputError
from engine.protocol import (
    Failed,
    LadderCharacter,
    LadderStep,
    Loaded,
    LyricsDone,
    LyricsStarted,
    Progress,
    SamplerAnswer,
)
from tui.formatting import clean
from tui.pages.ladder.controls import LadderControls, RungView
from tui.pages.ladder.ladder import NAMES, Ladder
from tui.pages.model_page import ModelPage, SamplerAnswered
from tui.sources.process import ProcessEnded
from tui.sources.programs import INSTALLED, Programs
from tui.widgets.footer import Footer
from tui.widgets.model_select import ModelSelect

_NO_MODEL = "No model has learned to write yet: press 1, then n, to train one; r looks again"
_FIGURES = "bits per character on songs held out"
_ENDS = {"end": "✓ the end", "length": "✓ full length", "stopped": "■ stopped"}


class LadderScreen(ModelPage):
    """The page where models of all kinds write the same song."""

    AUTO_FOCUS = "RungView:last-child"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("g,enter", "sing", "Sing", id="ladder.sing",
                tooltip="Have all rungs go on from the beginning, with a new seed unless one is "
                "given"),
        Binding("G,shift+enter", "again", "Same seed", id="ladder.again",
                tooltip="Have them write again with the seed of what is in view"),
        Binding("escape", "stop", "Stop", id="ladder.stop",
                tooltip="Stop writing at once; where nothing is written, leave the field"),
        Binding("left_square_bracket", "temperature(-1)", "Cooler", id="ladder.cooler",
                tooltip="Temperature a tenth lower"),
        Binding("right_square_bracket", "temperature(1)", "Warmer", id="ladder.warmer",
                tooltip="Temperature a tenth higher"),
        Binding("up", "rung(-1)", "Lower rung", show=False, id="ladder.up",
                tooltip="Go to the rung before, which then has more room"),
        Binding("down", "rung(1)", "Higher rung", show=False, id="ladder.down",
                tooltip="Go to the rung after, which then has more room"),
        Binding("p", "field('prime')", "Beginning", show=False, id="ladder.prime",
                tooltip="Go to how the song begins"),
        Binding("t", "field('temperature')", "Temperature", show=False, id="ladder.temperature",
                tooltip="Go to the temperature"),
        Binding("s", "field('seed')", "Seed", show=False, id="ladder.seed",
                tooltip="Go to the seed"),
        Binding("m", "field('model')", "Model", show=False, id="ladder.model",
                tooltip="Go to the model on top"),
        Binding("r", "reload", "Reload models", show=False, id="ladder.reload",
                tooltip="Look again for models"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    LadderScreen {
        & #rungs { height: 1fr; overflow-y: auto; scrollbar-size-vertical: 1; }
        & RungView { height: 1; }
        & RungView:focus { height: 1fr; min-height: 3; }
        & LadderControls { layout: grid; grid-size: 2; grid-gutter: 0 2; padding: 0 1; }
        & LadderControls #problem { column-span: 2; }
        & #status { height: auto; max-height: 3; padding: 0 1; color: $text-muted; }
        & #status.-failed { color: $text-error; text-style: bold; }
        &.-narrow LadderControls { display: none; grid-size: 1; }
        &.-narrow LadderControls.-open { display: block; }
        &.-tall RungView { height: 2; }
        &.-tall RungView:focus { height: 1fr; min-height: 4; }
        &.-narrow RungView, &.-short RungView { height: 2; }
        &.-narrow RungView:focus, &.-short RungView:focus { height: 5; }
        &.-narrow RungView .label { padding: 0 1; }
        &.-wide.-tall #rungs { layout: grid; grid-size: 4; }
        &.-wide.-tall RungView, &.-wide.-tall RungView:focus {
            height: 1fr; border: round $foreground 30%; border-title-color: $text;
            border-title-style: bold; border-subtitle-color: $text-muted; padding: 0 1;
        }
        &.-wide.-tall RungView:focus { border: round $accent; }
        &.-wide.-tall RungView .label { display: none; }
        &.-wide.-tall LadderControls { layout: vertical; height: 1fr; padding: 1 1 0 1; }
        &.-wide.-tall LadderControls Horizontal { margin-bottom: 1; }
    }
    """

    _controls = getters.query_one(LadderControls)

    def __init__(self, programs: Programs = INSTALLED) -> None:
        super().__init__(programs, "lyrics")
        self.ladder = Ladder()
        self.state = "waiting"  # or singing, one of _ENDS, failed
        self._asked = 0  # the id of the request under way, or of the last one
        self._prime = ""  # of what is in view
        self._seed: int | None = None

    def compose(self) -> ComposeResult:
        """Lay out the fields and the rungs."""
        with Container(id="rungs"):
            yield LadderControls()
            for _ in NAMES:
                yield RungView()
        yield Static(id="status", markup=False)
        yield Footer()

    @property
    def chooser(self) -> ModelSelect:
        """The field that chooses the model."""
        return self._controls.select

    @property
    def under_way(self) -> bool:
        """Whether more may come."""
        return self.state == "singing"

    def refresh_words(self) -> None:
        """Say anew what there is to say about the models."""
        self._show()

    @on(Select.Changed, "#model")
    def _model_chosen(self) -> None:
        self._end()
        self.ladder, self.state, self._problem = Ladder(), "waiting", ""
        self.load()

    # ── writing ──────────────────────────────────────────────────────────────────────────────────

    @on(Input.Submitted)
    def action_sing(self) -> None:
        """Have all rungs write as the fields say."""
        self._sing(None)

    def action_again(self) -> None:
        """Have them write with the seed of what is in view."""
        self._sing(self._seed)

    def begin(self) -> None:
        """Climb the ladder to begin with."""
        if not self._asked:
            self.action_sing()

    def _sing(self, seed: int | None) -> None:
        try:
            request = self._controls.request()
        except InputError as error:
            if not self._looking:
                self.notify(str(error), severity="error", markup=False)
            return
        if seed is not None:
            request = dataclasses.replace(request, seed=seed)
        self._end()
        self._problem = ""
        self.ladder.again()
        self.state, self._seed, self._prime = "singing", None, request.prime
        self._asked = self.sampler.request(request)
        self._leave_fields()
        self._show()

    def _end(self) -> None:
        if self.under_way:
            self.sampler.stop()
            self.state = "stopped"

    def action_stop(self) -> None:
        """Stop writing; where nothing is being written, leave the field."""
        if self.under_way:
            self._end()
            self._show()
        else:
            self._leave_fields()

    def on_sampler_answered(self, event: SamplerAnswered) -> None:
        """Add what was written."""
        for answer in event.answers:
            match answer:
                case ProcessEnded(error):
                    self._loading, self._problem = 0, error
                    if self.under_way:
                        self.state = "failed"
                case Loaded() | Failed() if self.loaded(answer):
                    self.begin_once()
                case _ if self.under_way and answer.id == self._asked:
                    self._receive(answer)
        self._show()

    def _receive(self, answer: SamplerAnswer) -> None:
        match answer:
            case Progress() | LadderStep() | LadderCharacter():
                self.ladder.receive(answer)
            case LyricsStarted(seed=seed):
                self._seed, self.ladder.doing = seed, ""
            case LyricsDone(reason=reason):
                self.state = reason
            case Failed(error):
                self.state, self._problem = "failed", error

    # ── what is in view ──────────────────────────────────────────────────────────────────────────

    def on_resize(self) -> None:
        """Rows have bars where there is room for them."""
        self.call_after_refresh(self._show)

    def _show(self) -> None:
        most, with_bar = self.ladder.most, not self.has_class("-narrow")
        with self.app.batch_update():
            for view, step in zip(self.query(RungView), self.ladder.steps, strict=True):
                view.show(step, self._prime, most, with_bar)
            status = self.query_one("#status", Static)
            status.update(clean(self._status()))
            status.set_class(bool(self._problem), "-failed")

    def _status(self) -> str:
        model = self.chooser.model
        if self._problem:
            return f"✗ {self._problem}"
        if model is None:
            return "○ looking for models" if self._looking else _NO_MODEL
        if self.under_way and self._seed is None:
            return f"○ {self.ladder.doing or 'asking'} …"
        seed = "" if self._seed is None else f"seed {self._seed}"
        if self.under_way:
            return " · ".join(filter(None, ("♪ singing", seed, _FIGURES)))
        if self.state in _ENDS:
            return " · ".join(filter(None, (_ENDS[self.state], seed, _FIGURES)))
        return f"○ loading {model.name}" if self._loading else "○ ready: g has all rungs write"

    # ── fields ───────────────────────────────────────────────────────────────────────────────────

    def action_field(self, name: str) -> None:
        """Go to a field; on a narrow screen the fields open for it."""
        self._controls.add_class("-open")
        field = self._controls.query_one(f"#{name}")
        field.call_after_refresh(field.focus)  # what is not laid out yet cannot be scrolled to

    def _leave_fields(self) -> None:
        self._controls.remove_class("-open")
        if not isinstance(self.focused, RungView):
            self.query(RungView).last().focus()

    def action_rung(self, steps: int) -> None:
        """Go to another rung."""
        views = list(self.query(RungView))
        place = views.index(self.focused) if isinstance(self.focused, RungView) else -steps
        views[min(max(place + steps, 0), len(views) - 1)].focus()

    def action_temperature(self, steps: int) -> None:
        """Change the temperature by so many tenths."""
        self._controls.warm(steps)
