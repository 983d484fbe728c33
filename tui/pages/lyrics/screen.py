"""The Lyrics page: a model writes songs from a prompt."""

import dataclasses
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import getters, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widgets import Input, Static

from engine import files
from engine.errors import InputError, WorkError
from engine.protocol import Failed, Loaded
from tui.pages.hints import lyrics_hint
from tui.pages.lyrics import shading
from tui.pages.lyrics.controls import LyricsControls
from tui.pages.lyrics.grid import SongGrid
from tui.pages.lyrics.session import LyricsSession, SongView, reopened
from tui.pages.lyrics.shading import VIEWS, LyricsText
from tui.pages.lyrics.song_panel import LyricsEditor, SongPanel
from tui.pages.model_page import SamplerAnswered, WritingPage
from tui.sources import history_songs
from tui.sources.child_commands import INSTALLED, Programs
from tui.sources.history import Work
from tui.sources.restarting_process import ProcessEnded
from tui.sources.settings import State
from tui.widgets.footer import Footer
from tui.widgets.heading import Heading
from tui.widgets.styling import set_class

_STATUS_EVERY = 0.2  # seconds, while songs are written: every update has 300 bytes


class LyricsScreen(WritingPage[LyricsControls, SongView]):
    """The page that writes lyrics."""

    AUTO_FOCUS = "LyricsText"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("g", "generate", "Sing", id="lyrics.sing",
                tooltip="Write as many songs as Count, with a new seed unless one is locked"),
        Binding("enter", "generate", "Sing", show=False, id="lyrics.sing_enter",
                tooltip="Write songs, like g"),
        Binding("G,shift+enter", "again", "Same seed", id="lyrics.again",
                tooltip="Write again with the seed of the song in view"),
        Binding("escape", "stop", "Stop", id="lyrics.stop",
                tooltip="Stop writing; if nothing is being written, leave the field"),
        Binding("left_square_bracket", "step('temperature',-1)", "Cooler", id="lyrics.cooler",
                tooltip="Lower the temperature by 0.1"),
        Binding("right_square_bracket", "step('temperature',1)", "Warmer", id="lyrics.warmer",
                tooltip="Raise the temperature by 0.1"),
        Binding("e", "edit", "Edit", id="lyrics.edit",
                tooltip="Edit the song in view, and continue it from there"),
        Binding("w", "rewrite", "Rewrite", show=False, id="lyrics.rewrite",
                tooltip="Rewrite from the selected character, or continue from the song's end"),
        Binding("b", "together", "Side by side", show=False, id="lyrics.together",
                tooltip="Show songs that were written together side by side, or one alone"),
        Binding("c", "copy", "Copy", id="lyrics.copy", tooltip="Copy the song to the clipboard"),
        Binding("S,ctrl+s", "save", "Save", id="lyrics.save", tooltip="Save the song to a file"),
        Binding("comma", "browse(-1)", "Previous", id="lyrics.previous",
                tooltip="The previous song of this session"),
        Binding("full_stop", "browse(1)", "Next", id="lyrics.next",
                tooltip="The next song of this session"),
        Binding("y", "history", "History", id="lyrics.history",
                tooltip="All songs written: find, star, reopen, export or delete them"),
        Binding("C", "clear", "Clear", show=False, id="lyrics.clear",
                tooltip="Clear the page; the comma key shows the song again"),
        Binding("h", "shade", "Shading", show=False, id="lyrics.shade",
                tooltip="Shading: off, surprise or copied; G writes an older song again for it"),
        Binding("k", "lock_seed", "Lock seed", show=False, id="lyrics.lock_seed",
                tooltip="Lock the seed of the song in view, or unlock the seed"),
        Binding("p", "field('prime')", "Prompt", show=False, id="lyrics.prime",
                tooltip="Go to the prompt: how the song begins"),
        Binding("a", "field('artist')", "Artist", show=False, id="lyrics.artist",
                tooltip="Go to the artist, and type a part of the name"),
        Binding("t", "field('temperature')", "Temperature", show=False, id="lyrics.temperature",
                tooltip="Go to the temperature"),
        Binding("m", "field('model')", "Model", show=False, id="lyrics.model",
                tooltip="Go to the model"),
        Binding("r", "reload", "Reload models", show=False, id="lyrics.reload",
                tooltip="Look for models again"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    LyricsScreen {
        & #text { width: 1fr; height: 1fr; margin: 1 1 0 3; }
        & #status { min-height: 2; max-height: 5; padding: 0 1 0 3; margin: 1 0 0 0; }
        & #status.-failed { max-height: 8; }
        &.-normal #text { margin: 0 1 0 3; }
        &.-grid.-medium LyricsControls { display: none; }
        &.-grid.-medium LyricsControls.-open { display: block; }
        &.-grid #status { margin: 0; padding: 0 1; }
        &.-narrow #text { margin: 0 0 0 1; }
        &.-narrow #status { padding: 0 1; margin: 0; min-height: 1; max-height: 2; }
    }
    """

    FORMATS = history_songs.FORMATS
    _sheet = getters.query_one(SongPanel)
    session: LyricsSession

    def __init__(self, programs: Programs = INSTALLED) -> None:
        super().__init__(programs, LyricsControls(), "lyrics", LyricsSession())
        self._status_timer: Timer | None = None  # of the next update while songs are written

    def kept_state(self) -> dict[str, State]:
        """Return what is kept of the form, and the shading."""
        return super().kept_state() | {"": {"shading": self._sheet.view}}

    def restore_state(self, saved: Mapping[str, State]) -> None:
        """Fill in the form, and choose the shading."""
        super().restore_state(saved)
        if (view := saved.get("", {}).get("shading")) in VIEWS:
            self._sheet.view = str(view)

    def compose(self) -> ComposeResult:
        """Lay out the page."""
        yield Heading("A model continues your words; y lists all songs written")
        with Horizontal(id="page"):
            yield self.form
            with Vertical(id="sheet"):
                yield SongPanel()
                yield Static(id="status", markup=False)
        yield Footer()

    # ── writing ──────────────────────────────────────────────────────────────────────────────────

    @on(Input.Submitted)
    @on(LyricsEditor.Continue)
    def action_generate(self) -> None:
        """Write songs with the values of the fields, or continue the text in the editor."""
        self._generate(prime=self._sheet.edited)

    def action_again(self) -> None:
        """Write again with the seed of the song in view, and its prompt if it continued a song."""
        song = self.shown
        prime = song.request.prime if song and song.continued else None
        self._generate(song.seed if song else None, self._sheet.edited or prime)

    def action_rewrite(self) -> None:
        """Write again from the selected character, or continue from the end."""
        if self._song_to("continue"):
            self._generate(prime=self._sheet.before)

    def _generate(
        self, seed: int | None = None, prime: str | None = None, count: int | None = None
    ) -> None:
        """Write songs with the values of the fields, except for the arguments that are given."""
        if self.postpone(partial(self._generate, seed, prime, count)):
            return
        self.form.accept()
        try:
            request = self.form.request(count)
        except InputError as error:
            self.refuse(error, self.form.wrong_field())
            return
        request = dataclasses.replace(
            request,
            seed=request.seed if seed is None else seed,
            prime=request.prime if prime is None else prime,
            **shading.request_fields(self._sheet.view),
        )
        self.stop()
        self._problem = ""
        request_id, now = self.sampler.request(request), time.monotonic()
        song = self.session.begin(request_id, request, now, prime is not None)
        if request.count > 1:
            self._show_together(song)
        else:
            self.show(song)
        self.leave_fields()

    def stop(self) -> None:
        """Stop the active songs at once, and ignore answers about them that are still to come."""
        if songs := self.session.active:
            self.sampler.stop()
            self.session.stop()
            self._sheet.update_songs(songs)
            self.keep(songs)

    def on_sampler_answered(self, event: SamplerAnswered) -> None:
        """Show what was written."""
        with self.app.batch_update():
            changed = self.session.receive(event.answers, time.monotonic())
            self._sheet.update_songs(changed)
            self.keep(changed)
            for answer in event.answers:
                match answer:
                    case Loaded() | Failed() if self.loaded(answer):
                        artists = answer.conditions if isinstance(answer, Loaded) else ()
                        self.form.set_artists(artists)
                        self.start_once()
                    case ProcessEnded(error):
                        self._load_id = 0
                        if not changed:
                            self._problem = error
            if not changed or not all(song.active for song in changed):
                self.refresh_status()
            elif self._status_timer is None:
                self._status_timer = self.set_timer(_STATUS_EVERY, self.refresh_status)

    # ── the history ──────────────────────────────────────────────────────────────────────────────

    def reopened(self, work: Work) -> SongView:
        """Return the song of a work of the history; raises InputError where it is damaged."""
        return reopened(work)

    async def export(self, work: Work, path: Path) -> None:
        """Write a song in the format of the file name's suffix."""
        history_songs.export(work, path)

    def reopen(self, item: SongView) -> None:
        """Fill in the fields as they were for a song, and show it."""
        self.form.fill(item.request)
        self.show(item)

    def start(self) -> None:
        """Write one song, in the style of the first artist if none is chosen."""
        if not self.session.items:
            self.form.suggest()
            self._generate(count=1)

    @on(Input.Changed, "#prime")
    def _prime_changed(self) -> None:
        if self.shown is None:
            self.show(None)

    @on(Input.Changed, "#temperature")
    def _temperature_changed(self) -> None:
        """Change the temperature of the active songs too."""
        if self.session.active and self.form.temperature is not None:
            self.sampler.change({"temperature": self.form.temperature})

    # ── what is shown ────────────────────────────────────────────────────────────────────────────

    @property
    def shown(self) -> SongView | None:
        """The song in view: of songs side by side the one with the focus; None without a song."""
        return self._sheet.song

    def show(self, item: SongView | None) -> None:
        """Show a song; None: show a hint on what to do."""
        if item is not None:
            self._sheet.show(item)
        else:
            form = self.form
            hint = lyrics_hint(form.model, form.prime, self._searching, bool(self._problem))
            self._sheet.show_hint(hint)
        self.refresh_status()

    def _show_together(self, song: SongView) -> None:
        """Show a song side by side with those written together with it."""
        self._sheet.show_together(self.session.together(song), song)
        self.refresh_status()

    @on(LyricsText.Selected)
    def refresh_status(self) -> None:
        """Update the status line."""
        song = self.shown
        if self._status_timer is not None:
            self._status_timer.stop()
            self._status_timer = None
        line = self.query_one("#status")
        set_class(self, self._sheet.side_by_side, "-grid", self.form, line)
        if self._problem:
            words = f"✗ {self._problem}"
        elif self._sheet.edited is not None:
            words = ""  # the hint alone
        elif song is not None:
            words = song.status(self.session.position(song))
        else:
            words = self.model_status()
        failed = bool(self._problem or (song and song.error))
        self.show_status(self._sheet.with_hint(words), failed)

    def action_together(self) -> None:
        """Switch between the song in view alone and all songs that were written with it."""
        song = self.shown
        if song is None or song.request.count == 1:
            self.notify("No songs were written together: to write several, set Count.")
        elif self._sheet.side_by_side:
            self.show(song)
        else:
            self._show_together(song)

    @on(SongGrid.Chosen)
    def _song_chosen(self, event: SongGrid.Chosen) -> None:
        self.show(event.song)

    @on(SongGrid.Moved)
    def _focus_moved(self, event: SongGrid.Moved) -> None:
        if self._sheet.side_by_side:
            self._sheet.song = event.song
            self.refresh_status()

    def action_shade(self) -> None:
        """Switch to the next shading; a song without data for it needs G."""
        index = VIEWS.index(self._sheet.view)
        self._sheet.shade(VIEWS[(index + 1) % len(VIEWS)])
        self.refresh_status()

    def focus_view(self) -> None:
        """Focus the song in view."""
        self._sheet.focus_song()

    def leave_fields(self) -> None:
        """Move the focus from the form to the song in view, and discard an artist being typed."""
        self.form.cancel()
        super().leave_fields()

    # ── the song in view ─────────────────────────────────────────────────────────────────────────

    def _song_to(self, what: str) -> SongView | None:
        """Return the song in view. Without one, notify the user and return None; what: a verb."""
        if self.shown is None:
            self.notify(f"There is no song to {what} yet: press g to write one.")
        return self.shown

    def action_edit(self) -> None:
        """Open the song in view in the editor."""
        if self._song_to("edit"):
            self._sheet.edit()
            self.refresh_status()

    @on(LyricsEditor.Left)
    def _editor_left(self) -> None:
        self._sheet.leave()
        self.refresh_status()

    def action_copy(self) -> None:
        """Copy the song in view."""
        if song := self._song_to("copy"):
            self.app.copy_to_clipboard(song.whole)
            self.notify(f"Copied {len(song.whole):,} characters.")

    @work(exclusive=True, group="save")
    async def action_save(self) -> None:
        """Ask for a file name, and save the song in view."""
        if not (song := self._song_to("save")):
            return

        async def write(path: Path) -> None:
            try:
                files.write_atomic(path, song.whole + "\n")
            except OSError as error:
                raise WorkError(
                    f"Cannot write {path} ({error.strerror}): choose another file."
                ) from error

        hint = "enter: save · escape: cancel"
        await self.save_as("Save the song as", hint, song.file_name, write)
