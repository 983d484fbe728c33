"""The Ladder page: one prompt, continued by models from chance up to the network."""

import dataclasses
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widgets import Input, Static

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
from tui.pages.ladder.controls import LadderControls, RungView
from tui.pages.ladder.rungs import NAMES, Ladder
from tui.pages.model_page import ModelPage, SamplerAnswered
from tui.sources.child_commands import INSTALLED, Programs
from tui.sources.restarting_process import ProcessEnded
from tui.widgets.footer import Footer
from tui.widgets.heading import Heading

_NO_MODEL = "There is no lyrics model yet: press 1, then n, to train one; r looks again"
_FIGURES = "bits per character on held-out songs"
_ENDS = {"end": "✓ the end", "length": "✓ full length", "stopped": "■ stopped"}


class LadderScreen(ModelPage[LadderControls]):
    """The page where models of all kinds continue the same prompt."""

    AUTO_FOCUS = "RungView:last-child"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("g,enter", "generate", "Write", id="ladder.write",
                tooltip="Continue the prompt on all rungs, with a new seed unless one is set"),
        Binding("G,shift+enter", "again", "Same seed", id="ladder.again",
                tooltip="Write again with the seed of what is in view"),
        Binding("escape", "stop", "Stop", id="ladder.stop",
                tooltip="Stop writing; if nothing is being written, leave the field"),
        Binding("left_square_bracket", "step('temperature',-1)", "Cooler", id="ladder.cooler",
                tooltip="Lower the temperature by 0.1"),
        Binding("right_square_bracket", "step('temperature',1)", "Warmer", id="ladder.warmer",
                tooltip="Raise the temperature by 0.1"),
        Binding("up", "rung(-1)", "Previous rung", show=False, id="ladder.up",
                tooltip="Go to the previous rung, which then has more room"),
        Binding("down", "rung(1)", "Next rung", show=False, id="ladder.down",
                tooltip="Go to the next rung, which then has more room"),
        Binding("p", "field('prime')", "Prompt", show=False, id="ladder.prime",
                tooltip="Go to the prompt: how the song begins"),
        Binding("t", "field('temperature')", "Temperature", show=False, id="ladder.temperature",
                tooltip="Go to the temperature"),
        Binding("k", "field('seed')", "Seed", show=False, id="ladder.seed",
                tooltip="Go to the seed"),
        Binding("m", "field('model')", "Model", show=False, id="ladder.model",
                tooltip="Go to the model on top of the ladder"),
        Binding("r", "reload", "Reload models", show=False, id="ladder.reload",
                tooltip="Look for models again"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    LadderScreen {
        & #rungs { height: 1fr; overflow-y: auto; scrollbar-size-vertical: 1; }
        & RungView { height: 1; }
        & RungView:focus { height: 1fr; min-height: 3; }
        & LadderControls { width: 1fr; layout: grid; grid-size: 2; grid-gutter: 0 2; padding: 0 1; }
        & LadderControls #problem { column-span: 2; }
        & #status { max-height: 3; }
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
        &.-wide.-tall LadderControls > Horizontal { margin-bottom: 1; }
    }
    """

    def __init__(self, programs: Programs = INSTALLED) -> None:
        super().__init__(programs, LadderControls(), "lyrics")
        self.ladder = Ladder()
        self.state = "waiting"  # or "writing", one of _ENDS, "failed"
        self.request_id = 0  # of the request being answered, or of the last one
        self._prime = ""  # the prompt of the texts in view
        self._seed: int | None = None

    def compose(self) -> ComposeResult:
        """Lay out the form and the rungs."""
        yield Heading("One prompt, continued by ever better models: the fewer bits, the better")
        with Container(id="rungs"):
            yield self.form
            for _ in NAMES:
                yield RungView()
        yield Static(id="status", markup=False)
        yield Footer()

    @property
    def active(self) -> bool:
        """Whether more text may be received."""
        return self.state == "writing"

    def model_changed(self) -> None:
        """Clear the ladder, and load the model that the user has chosen."""
        self._stop()
        self.ladder, self.state, self._problem = Ladder(), "waiting", ""
        self.load()

    # ── writing ──────────────────────────────────────────────────────────────────────────────────

    @on(Input.Submitted)
    def action_generate(self) -> None:
        """Let all rungs write with the values of the fields."""
        self._generate(None)

    def action_again(self) -> None:
        """Let all rungs write with the seed of what is in view."""
        self._generate(self._seed)

    def start(self) -> None:
        """Write with the values of the fields."""
        if not self.request_id:
            self.action_generate()

    def _generate(self, seed: int | None) -> None:
        if self.postpone(partial(self._generate, seed)):
            return
        try:
            request = self.form.request()
        except InputError as error:
            self.refuse(error)
            return
        if seed is not None:
            request = dataclasses.replace(request, seed=seed)
        self._stop()
        self._problem = ""
        self.ladder.clear_texts()
        self.state, self._seed, self._prime = "writing", None, request.prime
        self.request_id = self.sampler.request(request)
        self.leave_fields()
        self.refresh_view()

    def _stop(self) -> None:
        if self.active:
            self.sampler.stop()
            self.state = "stopped"

    def action_stop(self) -> None:
        """Stop writing; if nothing is being written, leave the field."""
        if self.active:
            self._stop()
            self.refresh_view()
        else:
            self.leave_fields()

    def on_sampler_answered(self, event: SamplerAnswered) -> None:
        """Show what was written."""
        for answer in event.answers:
            match answer:
                case ProcessEnded(error):
                    self._load_id, self._problem = 0, error
                    if self.active:
                        self.state = "failed"
                case Loaded() | Failed() if self.loaded(answer):
                    self.start_once()
                case _ if self.active and answer.id == self.request_id:
                    self._receive(answer)
        self.refresh_view()

    def _receive(self, answer: SamplerAnswer) -> None:
        match answer:
            case Progress() | LadderStep() | LadderCharacter():
                self.ladder.receive(answer)
            case LyricsStarted(seed=seed):
                self._seed, self.ladder.progress = seed, ""
            case LyricsDone(reason=reason):
                self.state = reason
            case Failed(error):
                self.state, self._problem = "failed", error

    # ── what is shown ────────────────────────────────────────────────────────────────────────────

    def on_resize(self) -> None:
        """Show or hide the bars of the rungs."""
        self.call_after_refresh(self.refresh_view)

    def refresh_view(self) -> None:
        """Show the rungs and the status."""
        max_bits, with_bar = self.ladder.max_bits, not self.has_class("-narrow")
        with self.app.batch_update():
            for view, rung in zip(self.query(RungView), self.ladder.rungs, strict=True):
                view.show(rung, self._prime, max_bits, with_bar)
            self.show_status(self._status(), bool(self._problem))

    def _status(self) -> str:
        model = self.form.model
        if self._problem:
            return f"✗ {self._problem}"
        if model is None:
            return self.model_status() or _NO_MODEL
        if self.active and self._seed is None:
            return f"○ {self.ladder.progress or 'waiting'} …"
        seed = "" if self._seed is None else f"seed {self._seed}"
        if self.active:
            return " · ".join(filter(None, ("♪ writing", seed, _FIGURES)))
        if self.state in _ENDS:
            return " · ".join(filter(None, (_ENDS[self.state], seed, _FIGURES)))
        if self._load_id:
            return f"○ loading {model.name}"
        return "○ ready: press g to let all rungs write"

    def focus_view(self) -> None:
        """Focus the last rung, unless a rung has the focus."""
        if not isinstance(self.focused, RungView):
            self.query(RungView).last().focus()

    def action_rung(self, steps: int) -> None:
        """Go to another rung."""
        views = list(self.query(RungView))
        index = views.index(self.focused) if isinstance(self.focused, RungView) else -steps
        views[min(max(index + steps, 0), len(views) - 1)].focus()
