"""The base of pages that use a model: models, a sampler process, a form and a status line.

`ModelPage` is the base of the Lyrics, Music, Ladder, Neurons and Map pages; `WritingPage` adds what
the Lyrics and Music pages share: the songs or pieces written since the app was started.
"""

import asyncio
import threading
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Generic, Protocol, TypeVar

from textual import on, work
from textual.css.query import NoMatches
from textual.message import Message
from textual.widgets import Select, Static

from engine import paths
from engine.errors import InputError, WorkError
from engine.protocol import Failed, Loaded, LoadModel
from tui.formatting import clean
from tui.sources import command_runner
from tui.sources.child_commands import Programs
from tui.sources.history import History, Work
from tui.sources.models import models_of_kind
from tui.sources.sampler import Answers, Sampler
from tui.sources.settings import State
from tui.widgets.fields import FormPanel, set_text
from tui.widgets.file_dialog import FileDialog
from tui.widgets.history_dialog import HistoryDialog
from tui.widgets.kept_state import KeepsState
from tui.widgets.styling import set_class

F = TypeVar("F", bound=FormPanel)


@dataclass
class SamplerAnswered(Message):
    """Answers of the sampler process, in order; pages ignore answers to older requests."""

    answers: Answers


class ModelPage(KeepsState, Generic[F]):
    """A page that uses models of some kinds, in a sampler process of its own.

    kinds: the kinds of models it offers, "lyrics" or "music". Until the user has trained a model,
    the page starts by itself when it first comes up, so that new users see what it does.
    """

    # The form is a panel on the left, on a narrow screen a drawer that opens when a key goes to a
    # field. The Ladder and Map pages have other layouts.
    DEFAULT_CSS = """
    ModelPage {
        & #page { height: 1fr; }
        & #sheet { width: 1fr; height: 1fr; }
        & #status { height: auto; padding: 0 1; color: $text-muted; }
        & #status.-failed { color: $text-error; text-style: bold; }
        & FormPanel.-side { border-right: vkey $foreground 20%; }
        & FormPanel.-side #problem { dock: bottom; background: $background; }
        &.-medium FormPanel.-side { width: 33; padding: 1 1; }
        &.-medium FormPanel.-side #model-info { margin-left: 0; }
        &.-short FormPanel.-side, &.-normal FormPanel.-side { padding: 0 1; }
        &.-short FormPanel.-side > Horizontal, &.-normal FormPanel.-side > Horizontal,
        &.-short FormPanel.-side #model-info, &.-normal FormPanel.-side #model-info {
            margin-bottom: 0;
        }
        &.-narrow #page { layout: vertical; }
        &.-narrow FormPanel.-side {
            display: none; width: 100%; height: 50%; border: none;
            border-bottom: hkey $foreground 20%;
        }
        & FormPanel.-side.-open { display: block; }
    }
    """

    def __init__(self, programs: Programs, form: F, *kinds: str) -> None:
        super().__init__()
        self.programs = programs
        self.form = form
        self.sampler = Sampler(programs.sampler, self._deliver)
        self._answers_shown = threading.Event()  # set unless the page is still to show some
        self._kinds = kinds  # of models: "lyrics", "music"
        self._in_background = True  # another page is in front
        self._searching = False  # whether models are being searched
        self._load_id = 0  # the id of the request to load the model, 0 once it is answered
        self._problem = ""  # a sentence on a problem other than those of the songs shown
        self._starts_itself = True
        self._postponed: Callable[[], object] | None = None  # done once models are found

    def _deliver(self, answers: Answers) -> None:
        """Hand over answers, in the thread that reads them, and wait until they are shown.

        So there is at most one update on its way, and a key never waits for a backlog of them.
        """
        self._answers_shown.clear()
        if self.post_message(SamplerAnswered(answers)):
            self._answers_shown.wait()

    def on_sampler_answered(self, event: SamplerAnswered) -> None:  # noqa: ARG002
        """Let the sampler's next answers in: Textual calls this after the subclass's handler."""
        self._answers_shown.set()

    # ── kept over restarts ───────────────────────────────────────────────────────────────────────

    def kept_state(self) -> dict[str, State]:
        """Return what is kept of the form."""
        return self.form.state()

    def restore_state(self, saved: Mapping[str, State]) -> None:
        """Fill in the form."""
        self.form.restore(saved)

    # ── models ───────────────────────────────────────────────────────────────────────────────────

    @property
    def busy(self) -> bool:
        """Whether models are being searched or loaded."""
        return self._searching or self._load_id > 0

    def on_screen_suspend(self) -> None:
        """Note whether the page was covered by another page, or only by a dialog of its own."""
        self._in_background = self not in self.app.screen_stack

    def on_screen_resume(self) -> None:
        """Search for models each time the page comes up: one may have been trained meanwhile."""
        if self._in_background:
            self._in_background = False
            self.action_reload()

    @work(exclusive=True, group="models")
    async def action_reload(self) -> None:
        """Search for models again."""
        self._searching, self._problem = True, ""
        self.refresh_view()
        try:
            rows = await command_runner.run(self.programs.cli, "models", "--json")
            models = [model for kind in self._kinds for model in models_of_kind(rows, kind)]
            self.form.set_models(models)
            self._starts_itself &= all(model.source == "bundled" for model in models)
            if not models:  # show why the models that exist cannot be used
                self._problem = next((row["error"] for row in rows if "error" in row), "")
        except WorkError as error:
            self._problem = str(error)
        except NoMatches:  # the app is being closed, and the form's widgets are gone
            return
        self._searching = False
        self.load()
        postponed, self._postponed = self._postponed, None
        if postponed is not None:
            postponed()

    def postpone(self, action: Callable[[], object]) -> bool:
        """Return whether an action must wait for the first models; if so, it is done after that.

        So a key pressed while models are searched for is not lost.
        """
        if self.form.model is not None or not self._searching:
            return False
        self._postponed = action
        self.refresh_view()
        return True

    @on(Select.Changed, "#model")
    def _select_changed(self) -> None:
        self.model_changed()

    def model_changed(self) -> None:
        """Use the model that the user has chosen."""
        self.load()

    def load(self) -> None:
        """Have the sampler load the chosen model."""
        self._load_id = 0
        if self.form.model is not None:
            self._load_id = self.sampler.request(LoadModel(self.form.models.model_name))
        self.refresh_view()

    def loaded(self, answer: Loaded | Failed) -> bool:
        """Return whether this answers the request to load the model; if so, note its result."""
        if answer.id != self._load_id:
            return False
        self._load_id = 0
        if isinstance(answer, Failed):
            self._problem = answer.error
        return True

    def start_once(self) -> None:
        """Call `start` once, unless the user has started already or there is a problem."""
        if self._starts_itself and not self._problem:
            self.start()
        self._starts_itself = False

    def start(self) -> None:
        """Show what the page is for, for example by writing a song."""

    async def on_unmount(self) -> None:
        """End the sampler process."""
        self._answers_shown.set()
        await asyncio.to_thread(self.sampler.close)

    # ── what is shown ────────────────────────────────────────────────────────────────────────────

    @abstractmethod
    def refresh_view(self) -> None:
        """Show the state of the models and of the page's work."""

    def model_status(self) -> str:
        """Return the state of the model as a status line; empty without a model."""
        model = self.form.model
        if self.busy:
            then = " · then it begins" if self._postponed else ""
            return f"○ {f'loading {model.name}' if model else 'looking for models'}{then}"
        return " · ".join(filter(None, ("○ ready", model.name, model.score))) if model else ""

    def show_status(self, words: str, failed: bool) -> None:
        """Show the status line."""
        line = self.query_one("#status", Static)
        set_text(line, clean(words))
        line.set_class(failed, "-failed")

    def refuse(self, error: InputError, field: str | None = None) -> None:
        """Show why a request cannot be made, and go to `field`; None: to the first wrong field."""
        self.notify(str(error), severity="error", markup=False)
        if field is not None:
            self.action_field(field)

    # ── fields ───────────────────────────────────────────────────────────────────────────────────

    def action_field(self, name: str) -> None:
        """Go to a field; a hidden form is opened."""
        set_class(self.form, True, "-open", self.form)
        self.form.reveal(name)
        field = self.form.query_one(f"#{name}")
        field.call_after_refresh(field.focus)  # a field can be scrolled to only after layout

    def leave_fields(self) -> None:
        """Go from the form to what the page shows."""
        set_class(self.form, False, "-open", self.form)
        self.focus_view()

    @abstractmethod
    def focus_view(self) -> None:
        """Focus what the page shows."""

    def action_step(self, name: str, steps: int) -> None:
        """Change the number in a field by `steps` of its option's steps."""
        self.form.step(name, steps)


class Written(Protocol):
    """A song or a piece, complete or being written."""

    seed: int | None  # the seed used; None until it is known

    @property
    def active(self) -> bool:
        """Whether more of it may be received."""

    @property
    def file_name(self) -> str:
        """The name suggested for its file."""

    @property
    def to_be_kept(self) -> bool:
        """Whether it has ended and is to be added to the history, or changed there."""

    def keep(self, history: History) -> None:
        """Add it to the history, or change it there; raises WorkError."""

    def stop(self) -> None:
        """End it if it is active."""


W = TypeVar("W", bound=Written)


class Session(Generic[W]):
    """The songs or pieces written since the app was started, the oldest first."""

    MAX_ITEMS: ClassVar[int] = 100

    def __init__(self) -> None:
        self.items: list[W] = []

    def add(self, *items: W) -> None:
        """Add songs or pieces; drop the oldest if there are more than `MAX_ITEMS`."""
        self.items = [*self.items, *items][-self.MAX_ITEMS :]

    @property
    def active(self) -> list[W]:
        """The items of which more may be received."""
        return [item for item in self.items if item.active]

    def stop(self) -> None:
        """End the active items."""
        for item in self.active:
            item.stop()

    def position(self, item: W) -> str:
        """Return the position of an item, such as "2 of 3"; empty if it is the only one."""
        if len(self.items) == 1:
            return ""
        return f"{self.items.index(item) + 1} of {len(self.items)}"

    def neighbor(self, item: W | None, steps: int) -> W | None:
        """Return the item `steps` later than `item`; None: counted from the end."""
        if not self.items:
            return None
        index = len(self.items) if item is None else self.items.index(item)
        return self.items[min(max(index + steps, 0), len(self.items) - 1)]


class WritingPage(ModelPage[F], Generic[F, W]):
    """A page that writes songs or pieces, shows those of the session, and saves them."""

    FORMATS: ClassVar[str]  # in which the history exports, in words

    def __init__(self, programs: Programs, form: F, kind: str, session: Session[W]) -> None:
        super().__init__(programs, form, kind)
        self.session = session
        self.history = History(paths.history())

    @property
    @abstractmethod
    def shown(self) -> W | None:
        """The song or piece in view; None without one."""

    @abstractmethod
    def show(self, item: W | None) -> None:
        """Show a song or piece; None: show a hint on what to do."""

    @abstractmethod
    def refresh_status(self) -> None:
        """Update the status line."""

    @abstractmethod
    def stop(self) -> None:
        """Stop writing at once, and ignore answers that are still to come."""

    def refresh_view(self) -> None:
        """Show the state of the models and of what is written."""
        if self.shown is None:
            self.show(None)
        else:
            self.refresh_status()

    def action_stop(self) -> None:
        """Stop writing; if nothing is being written, leave the field."""
        if self.session.active:
            self.stop()
            self.refresh_status()
        else:
            self.leave_fields()

    def action_browse(self, steps: int) -> None:
        """Show the song or piece `steps` later in the session; negative: earlier."""
        item = self.session.neighbor(self.shown, steps)
        if item is not None and item is not self.shown:
            self._problem = ""
            self.show(item)

    def action_clear(self) -> None:
        """Stop writing, and clear the page."""
        self.stop()
        self._problem = ""
        self.show(None)

    def action_lock_seed(self) -> None:
        """Lock the seed of the song or piece in view for all that follow, or unlock the seed."""
        self.form.lock_seed(self.shown.seed if self.shown else None)

    # ── the history ──────────────────────────────────────────────────────────────────────────────

    @abstractmethod
    def reopened(self, work: Work) -> W:
        """Return the song or piece of a work of the history; raises InputError if it is damaged."""

    @abstractmethod
    async def export(self, work: Work, path: Path) -> None:
        """Write a work to a file, in the format of its suffix; raises InputError and WorkError."""

    @abstractmethod
    def reopen(self, item: W) -> None:
        """Fill in the fields as they were for a song or piece, and show it."""

    def preview(self, work: Work) -> str:
        """Return what the list of works shows of one."""
        return work.text

    def keep(self, items: Iterable[W]) -> None:
        """Keep those songs or pieces in the history that have ended or changed."""
        ended = [item for item in items if item.to_be_kept]
        if not ended:
            return
        try:
            with self.history.together():
                for item in ended:
                    item.keep(self.history)
        except WorkError as error:
            self._problem = str(error)

    async def on_unmount(self) -> None:
        """Keep what is written when the app quits."""
        self.session.stop()
        self.keep(self.session.items)

    @work(exclusive=True, group="history")
    async def action_history(self) -> None:
        """List all songs or pieces, and show the one that is chosen, with its fields."""

        def suggest(work: Work) -> str:
            try:
                return self.reopened(work).file_name
            except InputError:
                return f"{self._kinds[0]}-{work.id}"

        self.keep(self.session.items)
        found = await self.app.push_screen_wait(
            HistoryDialog(
                self.history, self._kinds[0], self.export, suggest, self.FORMATS, self.preview
            )
        )
        if found is None:
            return
        try:
            item = self.reopened(found)
        except InputError as error:
            self.refuse(error)
            return
        self.stop()
        self._problem = ""
        self.session.add(item)
        self.reopen(item)
        self.focus_view()

    async def save_as(
        self, question: str, hint: str, name: str, write: Callable[[Path], Awaitable[None]]
    ) -> None:
        """Ask for the name of a new file, and let `write` write it. name: the suggestion."""
        path = await self.app.push_screen_wait(FileDialog(question, hint, write, name, new=True))
        if path is not None:
            self.notify(f"Saved {path}.", markup=False)
