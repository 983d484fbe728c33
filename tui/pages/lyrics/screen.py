"""The Lyrics page: choose a model, say how the song begins, and watch it being written."""

import dataclasses
import time
from pathlib import Path
from typing import ClassVar

from textual import getters, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static

from engine import files
from engine.errors import InputError, WorkError
from engine.protocol import Failed, Loaded
from tui.formatting import clean
from tui.pages.hints import lyrics_hint
from tui.pages.lyrics import shading
from tui.pages.lyrics.controls import LyricsControls
from tui.pages.lyrics.grid import SongGrid
from tui.pages.lyrics.session import Session, SongView
from tui.pages.lyrics.shading import VIEWS
from tui.pages.lyrics.sheet import LyricsEditor, LyricsSheet
from tui.pages.lyrics.text import LyricsText
from tui.pages.model_page import ModelPage, SamplerAnswered
from tui.sources.process import ProcessEnded
from tui.sources.programs import INSTALLED, Programs
from tui.widgets.file_dialog import FileDialog, file_name
from tui.widgets.footer import Footer


class LyricsScreen(ModelPage):
    """The page that writes lyrics."""

    AUTO_FOCUS = "LyricsText"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("g", "sing", "Sing", id="lyrics.sing",
                tooltip="Write a song, or as many as Count says; a new seed unless one is kept"),
        Binding("enter", "sing", "Sing", show=False, id="lyrics.sing_enter",
                tooltip="Write a song, as g does"),
        Binding("G,shift+enter", "again", "Same seed", id="lyrics.again",
                tooltip="Write again with the seed of the song in view"),
        Binding("escape", "stop", "Stop", id="lyrics.stop",
                tooltip="Stop writing at once; where nothing is written, leave the field"),
        Binding("left_square_bracket", "temperature(-1)", "Cooler", id="lyrics.cooler",
                tooltip="Temperature a tenth lower"),
        Binding("right_square_bracket", "temperature(1)", "Warmer", id="lyrics.warmer",
                tooltip="Temperature a tenth higher"),
        Binding("e", "edit", "Edit", id="lyrics.edit",
                tooltip="Change the text of the song in view, and have it go on from there"),
        Binding("w", "write_on", "Write on", show=False, id="lyrics.write_on",
                tooltip="Go on from before the character looked at, or from the song's end"),
        Binding("b", "together", "Side by side", show=False, id="lyrics.together",
                tooltip="The songs that were written together side by side, and one alone again"),
        Binding("c", "copy", "Copy", id="lyrics.copy", tooltip="Copy the song to the clipboard"),
        Binding("S,ctrl+s", "save", "Save", id="lyrics.save", tooltip="Save the song to a file"),
        Binding("comma", "walk(-1)", "Earlier", id="lyrics.earlier",
                tooltip="The song before, of this visit"),
        Binding("full_stop", "walk(1)", "Later", id="lyrics.later",
                tooltip="The song after, of this visit"),
        Binding("x", "clear", "Clear", show=False, id="lyrics.clear",
                tooltip="Clear the page; the song stays among the earlier ones"),
        Binding("h", "shade", "Shade", show=False, id="lyrics.shade",
                tooltip="Shade the songs to come by surprise, by what is copied, or not"),
        Binding("k", "keep", "Keep seed", show=False, id="lyrics.keep",
                tooltip="Keep the seed of the song in view, or let go of a kept one"),
        Binding("p", "field('prime')", "Beginning", show=False, id="lyrics.prime",
                tooltip="Go to how the song begins"),
        Binding("a", "field('artist')", "Artist", show=False, id="lyrics.artist",
                tooltip="Go to the artist, and type a part of the name"),
        Binding("t", "field('temperature')", "Temperature", show=False, id="lyrics.temperature",
                tooltip="Go to the temperature"),
        Binding("m", "field('model')", "Model", show=False, id="lyrics.model",
                tooltip="Go to the model"),
        Binding("r", "reload", "Reload models", show=False, id="lyrics.reload",
                tooltip="Look again for models"),
    ]  # fmt: skip

    _controls = getters.query_one(LyricsControls)
    _sheet = getters.query_one(LyricsSheet)

    def __init__(self, programs: Programs = INSTALLED) -> None:
        super().__init__(programs, "lyrics")
        self._visit = Session()

    @property
    def songs(self) -> list[SongView]:
        """The songs of this visit."""
        return self._visit.songs

    @property
    def shown(self) -> SongView | None:
        """The song in view; of several side by side the one that has the focus."""
        return self._sheet.song

    def compose(self) -> ComposeResult:
        """Lay out the page."""
        with Horizontal(id="page"):
            yield LyricsControls()
            with Vertical(id="sheet"):
                yield LyricsSheet()
                yield Static(id="status", markup=False)
        yield Footer()

    # ── models ───────────────────────────────────────────────────────────────────────────────────

    @property
    def chooser(self) -> LyricsControls:
        """The controls that choose the model."""
        return self._controls

    def refresh_words(self) -> None:
        """Say anew what there is to say about the models."""
        self._show()

    @on(LyricsControls.ModelChosen)
    def _model_chosen(self) -> None:
        self.load()

    # ── writing ──────────────────────────────────────────────────────────────────────────────────

    @on(Input.Submitted)
    @on(LyricsEditor.GoOn)
    def action_sing(self) -> None:
        """Write songs as the fields say; one that is being edited goes on."""
        self._sing(prime=self._sheet.edited)

    def action_again(self) -> None:
        """Write again with the seed of the song in view, and from where that one went on."""
        song = self.shown
        begun = song.request.prime if song and song.continued else None
        self._sing(song.seed if song else None, self._sheet.edited or begun)

    def action_write_on(self) -> None:
        """Go on from before the character looked at, or from the end."""
        if self._song_to("go on from"):
            self._sing(prime=self._sheet.before)

    def _sing(self, seed: int | None = None, prime: str | None = None) -> None:
        """Write songs as the fields say, but for a seed and a beginning that are given."""
        controls = self._controls
        controls.take()
        try:
            request = controls.request()
        except InputError as error:
            if not self._looking:
                self.notify(str(error), severity="error", markup=False)
            if name := controls.wrong_field():
                self.action_field(name)
            return
        request = dataclasses.replace(
            request,
            seed=request.seed if seed is None else seed,
            prime=request.prime if prime is None else prime,
            **shading.asked(self._sheet.view),
        )
        self._end()
        self._problem = ""
        number, now = self.sampler.request(request), time.monotonic()
        song = self._visit.begin(number, request, now, controls.score, prime is not None)
        self._show(song, together=request.count > 1)
        self._leave_fields()

    def _end(self) -> None:
        """Stop the songs under way at once: what is still in the pipe is not taken in."""
        if songs := self._visit.under_way:
            self.sampler.stop()
            self._visit.stop()
            self._sheet.hear((song, "") for song in songs)

    def action_stop(self) -> None:
        """Stop writing; where nothing is being written, leave the field."""
        if self._visit.under_way:
            self._end()
            self._show_status()
        else:
            self._controls.cancel()
            self._leave_fields()

    def on_sampler_answered(self, event: SamplerAnswered) -> None:
        """Add what was written."""
        with self.app.batch_update():
            news = self._visit.receive(event.answers, time.monotonic())
            self._sheet.hear(news)
            for answer in event.answers:
                match answer:
                    case Loaded() | Failed() if self.loaded(answer):
                        artists = answer.conditions if isinstance(answer, Loaded) else ()
                        self._controls.set_artists(artists)
                        self.begin_once()
                    case ProcessEnded(error):
                        self._loading = 0
                        if not news:
                            self._problem = error
            self._show_status()

    def begin(self) -> None:
        """Sing something to begin with."""
        if not self.songs:
            self._controls.suggest()
            self.action_sing()

    @on(Input.Changed, "#prime")
    def _prime_changed(self) -> None:
        if self.shown is None:
            self._show()

    # ── what is in view ──────────────────────────────────────────────────────────────────────────

    def _show(self, song: SongView | None = None, together: bool = False) -> None:
        """Bring a song into view, alone or together with those written with it.

        Without one, say what to do, unless there is one in view.
        """
        if song is not None and together:
            self._sheet.show_together(self._visit.together(song), song)
        elif song is not None:
            self._sheet.show(song)
        elif self.shown is None:
            name = self._controls.model.name if self._controls.model else None
            self._sheet.show_hint(
                lyrics_hint(name, self._controls.prime, self._looking, self._problem)
            )
        self._show_status()

    @on(LyricsText.Looked)
    def _show_status(self) -> None:
        song, model = self.shown, self._controls.model
        self.set_class(self._sheet.side_by_side, "-grid")
        if self._problem:
            words = f"✗ {self._problem}"
        elif self._sheet.edited is not None:
            words = ""  # the hint alone
        elif song is not None:
            words = song.status(self._visit.place(song))
        elif self._looking or self._loading:
            words = "○ looking for models" if model is None else f"○ loading {model.name}"
        else:
            words = " · ".join(filter(None, ("○ ready", model.name, model.score))) if model else ""
        status = self.query_one("#status", Static)
        status.update(clean(self._sheet.lines(words)))
        status.set_class(bool(self._problem or (song and song.error)), "-failed")

    def action_walk(self, steps: int) -> None:
        """Bring an earlier or a later song into view."""
        song = self._visit.beside(self.shown, steps)
        if song is not None and song is not self.shown:
            self._problem = ""
            self._show(song)

    def action_together(self) -> None:
        """Show the songs written with the one in view, or that one alone again."""
        if not (song := self.shown) or song.request.count == 1:
            self.notify("No song was written with this one: ask for several by the field Count.")
            return
        self._show(song, together=not self._sheet.side_by_side)

    @on(SongGrid.Picked)
    def _picked(self, event: SongGrid.Picked) -> None:
        self._show(event.song)

    @on(SongGrid.Moved)
    def _moved(self, event: SongGrid.Moved) -> None:
        if self._sheet.side_by_side:
            self._sheet.song = event.song
            self._show_status()

    def action_clear(self) -> None:
        """Clear the page, and end the song under way."""
        self._end()
        self._problem = ""
        self._sheet.song = None
        self._show()

    def action_edit(self) -> None:
        """Let the text of the song in view be changed."""
        if self._song_to("edit"):
            self._sheet.edit()
            self._show_status()

    @on(LyricsEditor.Left)
    def _left_editor(self) -> None:
        self._sheet.leave()
        self._show_status()

    def _song_to(self, what: str) -> SongView | None:
        """The song in view, to do something with; where there is none that is said."""
        if self.shown is None:
            self.notify(f"There is no song to {what} yet: press g to write one.")
        return self.shown

    # ── fields ───────────────────────────────────────────────────────────────────────────────────

    def action_field(self, name: str) -> None:
        """Go to a field; on a narrow screen the panel opens for it."""
        self._controls.add_class("-open")
        field = self._controls.query_one(f"#{name}")
        field.call_after_refresh(field.focus)  # what is not laid out yet cannot be scrolled to

    def _leave_fields(self) -> None:
        self._controls.remove_class("-open")
        self._sheet.focus_song()

    def action_temperature(self, steps: int) -> None:
        """Change the temperature by so many tenths."""
        self._controls.warm(steps)

    @on(Input.Changed, "#temperature")
    def _warmed(self) -> None:
        """Turn the temperature of the song under way too."""
        temperature = self._controls.temperature
        if self._visit.under_way and temperature is not None:
            self.sampler.change({"temperature": temperature})

    # ── looking closer ───────────────────────────────────────────────────────────────────────────

    def action_shade(self) -> None:
        """Take the next view; what it needs is told of the songs to come."""
        place = VIEWS.index(self._sheet.view)
        self._sheet.shade(VIEWS[(place + 1) % len(VIEWS)])
        self._show_status()

    def action_keep(self) -> None:
        """Keep the seed of the song in view for those to come, or let go of a kept one."""
        self._controls.keep(self.shown.seed if self.shown else None)

    # ── taking it away ───────────────────────────────────────────────────────────────────────────

    def action_copy(self) -> None:
        """Copy the song in view."""
        if song := self._song_to("copy"):
            self.app.copy_to_clipboard(song.whole)
            self.notify(f"Copied {len(song.whole):,} characters.")

    @work(exclusive=True, group="save")
    async def action_save(self) -> None:
        """Ask for a name, and save the song in view."""
        if not (song := self._song_to("save")):
            return

        async def write(path: Path) -> None:
            try:
                files.write_atomic(path, song.whole + "\n")
            except OSError as error:
                raise WorkError(
                    f"Cannot write {path} ({error.strerror}): choose another place."
                ) from error

        seed = "" if song.seed is None else str(song.seed)
        parts = [song.request.prime, song.request.artist or "", seed]
        name = file_name(parts, ".txt", default="lyrics")
        hint = "enter: save · escape: cancel"
        path = await self.app.push_screen_wait(
            FileDialog("Save the song as", hint, write, name, new=True)
        )
        if path is not None:
            self.notify(f"Saved {path}.", markup=False)
