"""The Lyrics page: choose a model, say how the song begins, and watch it being written."""

import dataclasses
import time
from typing import ClassVar

from textual import getters, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Footer, Input, Static

from engine.errors import InputError
from tui.model import shades
from tui.model.lyrics_hints import LOOKING, NO_MODEL, READY, TROUBLE
from tui.model.shades import VIEWS
from tui.model.text import clean
from tui.screens.writing import SamplerSaid, WritingScreen
from tui.widgets.lyrics_controls import LyricsControls
from tui.widgets.lyrics_fields import file_name
from tui.widgets.lyrics_save import SaveDialog
from tui.widgets.lyrics_song import Song
from tui.widgets.lyrics_text import LyricsText

KEPT = 100  # songs of this visit


class LyricsScreen(WritingScreen):
    """The page that writes lyrics."""

    AUTO_FOCUS = "LyricsText"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("g", "sing", "Sing", id="lyrics.sing",
                tooltip="Write a song, with a new seed unless one is kept"),
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
    DEFAULT_CSS = """
    LyricsScreen {
        & #page { height: 1fr; }
        & LyricsControls { border-right: vkey $foreground 20%; }
        & #sheet { width: 1fr; height: 1fr; }
        & LyricsText { width: 1fr; height: 1fr; margin: 1 1 0 3; }
        & #status { height: auto; min-height: 2; max-height: 3; padding: 0 1 0 3; margin: 1 0 0 0;
                    color: $text-muted; }
        & #status.-failed { color: $text-error; text-style: bold; }
        &.-medium LyricsControls { width: 33; padding: 1 1; }
        &.-medium LyricsControls #words { margin-left: 0; }
        &.-short LyricsControls, &.-normal LyricsControls { padding: 0 1; }
        &.-short LyricsControls Horizontal, &.-normal LyricsControls Horizontal,
        &.-short LyricsControls #words, &.-normal LyricsControls #words { margin-bottom: 0; }
        &.-normal LyricsText { margin: 0 1 0 3; }
        &.-narrow #page { layout: vertical; }
        &.-narrow LyricsControls { display: none; width: 100%; height: 50%; border: none;
                                   border-bottom: hkey $foreground 20%; }
        &.-narrow LyricsControls.-open { display: block; }
        &.-narrow LyricsText { margin: 0 0 0 1; }
        &.-narrow #status { padding: 0 1; margin: 0; min-height: 1; max-height: 2; }
    }
    """

    _controls = getters.query_one(LyricsControls)
    _text = getters.query_one(LyricsText)

    def __init__(self) -> None:
        super().__init__("lyrics")
        self.songs: list[Song] = []
        self.view = VIEWS[0]  # how characters are shaded
        self._looked: int | None = None  # the character looked at
        self.shown: Song | None = None

    def compose(self) -> ComposeResult:
        """Lay out the page."""
        with Horizontal(id="page"):
            yield LyricsControls()
            with Vertical(id="sheet"):
                yield LyricsText()
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

    @property
    def _newest(self) -> Song | None:
        return self.songs[-1] if self.songs else None

    @on(Input.Submitted)
    def action_sing(self) -> None:
        """Write a song as the fields say."""
        self._sing(None)

    def action_again(self) -> None:
        """Write again with the seed of the song in view."""
        self._sing(self.shown.seed if self.shown else None)

    def _sing(self, seed: int | None) -> None:
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
        if seed is not None:
            request = dataclasses.replace(request, seed=seed)
        request = dataclasses.replace(request, **shades.asked(self.view))
        self._end()
        self._problem = ""
        song = Song(self.sampler.sample(request), request, time.monotonic(), controls.score)
        self.songs = [*self.songs[1 - KEPT :], song]
        self._leave_fields()
        self._show(song)

    def _end(self) -> None:
        """Stop the song under way at once: what is still in the pipe is not taken in."""
        if self._newest and self._newest.under_way:
            self.sampler.stop()
            self._newest.state = "stopped"
            self._text.writing = False

    def action_stop(self) -> None:
        """Stop writing; where nothing is being written, leave the field."""
        if self._newest and self._newest.under_way:
            self._end()
            self._show_status()
        else:
            self._controls.cancel()
            self._leave_fields()

    def on_sampler_said(self, event: SamplerSaid) -> None:
        """Take in what came, unless it answers an older request."""
        heard, song = event.heard, self._newest
        with self.app.batch_update():
            if self.loaded(heard):
                self._controls.set_artists(heard.loaded.conditions if heard.loaded else ())
                self.begin_once()
                song = self._newest
            if song and song.under_way and (heard.id == song.id or heard.died):
                more = song.hear(heard, time.monotonic())
                if song is self.shown:
                    self._text.write(more)
                    self._shade()
                    self._text.writing = song.under_way
            elif heard.died and heard.error:
                self._problem = heard.error
            if heard.died:
                self._loading = 0
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

    def _show(self, song: Song | None = None) -> None:
        """Bring a song into view; without one, what to do, unless there is one in view."""
        self.shown = song or self.shown
        if song is not None:
            self._text.writing = song.under_way
            self._text.show_song(song.request.prime, song.text)
            self._looked = None
            self._shade()
        elif self.shown is None:
            self._text.writing = False
            self._text.show_hint(self._hint())
        self._show_status()

    def _hint(self) -> str:
        model = self._controls.model
        if model is not None:
            prime = self._controls.prime
            does = f"goes on from “{prime}”" if prime else "begins"
            return READY.format(model=model.name, does=does)
        if self._looking:
            return LOOKING
        return TROUBLE if self._problem else NO_MODEL

    def _show_status(self) -> None:
        song, model = self.shown, self._controls.model
        failed = bool(self._problem or (song and song.error))
        if self._problem:
            words = f"✗ {self._problem}"
        elif song is not None:
            place = f"song {self.songs.index(song) + 1} of {len(self.songs)}"
            words = song.status(place if len(self.songs) > 1 else "")
        elif self._looking or self._loading:
            words = "○ looking for models" if model is None else f"○ loading {model.name}"
        else:
            words = " · ".join(filter(None, ("○ ready", model.name, model.score))) if model else ""
        status = self.query_one("#status", Static)
        status.update(clean("\n".join(filter(None, (words, self._closely())))))
        status.set_class(failed, "-failed")

    def action_walk(self, steps: int) -> None:
        """Bring an earlier or a later song into view."""
        if not self.songs:
            return
        place = self.songs.index(self.shown) if self.shown else len(self.songs)
        place = min(max(place + steps, 0), len(self.songs) - 1)
        if self.songs[place] is not self.shown:
            self._problem = ""
            self._show(self.songs[place])

    def action_clear(self) -> None:
        """Clear the page, and end the song under way."""
        self._end()
        self.shown, self._problem = None, ""
        self._show()

    # ── fields ───────────────────────────────────────────────────────────────────────────────────

    def action_field(self, name: str) -> None:
        """Go to a field; on a narrow screen the panel opens for it."""
        self._controls.add_class("-open")
        field = self._controls.query_one(f"#{name}")
        field.call_after_refresh(field.focus)  # what is not laid out yet cannot be scrolled to

    def _leave_fields(self) -> None:
        self._controls.remove_class("-open")
        self._text.focus()

    def action_temperature(self, steps: int) -> None:
        """Change the temperature by so many tenths."""
        self._controls.warm(steps)

    @on(Input.Changed, "#temperature")
    def _warmed(self) -> None:
        """Turn the temperature of the song under way too."""
        temperature = self._controls.temperature
        if self._newest and self._newest.under_way and temperature is not None:
            self.sampler.change(temperature=temperature)

    # ── looking closer ───────────────────────────────────────────────────────────────────────────

    def action_shade(self) -> None:
        """Take the next view; what it needs is told of the songs to come."""
        self.view = VIEWS[(VIEWS.index(self.view) + 1) % len(VIEWS)]
        self._looked = None
        self._shade()
        self._show_status()

    def _shade(self) -> None:
        letters = self.shown.letters if self.shown else ()
        self._text.shade([] if self.view == VIEWS[0] else shades.levels(self.view, letters))

    @on(LyricsText.Looked)
    def _look(self, event: LyricsText.Looked) -> None:
        self._looked = event.place
        self._show_status()

    def _closely(self) -> str:
        """What there is to tell of the character looked at, or how characters are shaded."""
        letters = self.shown.letters if self.shown else []
        if self._looked is not None and self._looked < len(letters):
            return shades.closely(self.view, letters[self._looked])
        return shades.LEGENDS[self.view]

    def action_keep(self) -> None:
        """Keep the seed of the song in view for those to come, or let go of a kept one."""
        self._controls.keep(self.shown.seed if self.shown else None)

    # ── taking it away ───────────────────────────────────────────────────────────────────────────

    def action_copy(self) -> None:
        """Copy the song in view."""
        if self.shown is None:
            self.notify("There is no song to copy yet: press g to write one.")
            return
        self.app.copy_to_clipboard(self.shown.whole)
        self.notify(f"Copied {len(self.shown.whole):,} characters.")

    @work(exclusive=True, group="save")
    async def action_save(self) -> None:
        """Ask for a name, and save the song in view."""
        song = self.shown
        if song is None:
            self.notify("There is no song to save yet: press g to write one.")
            return
        name = file_name(song.request.prime, song.request.artist, song.seed)
        path = await self.app.push_screen_wait(SaveDialog(name, song.whole + "\n"))
        if path is not None:
            self.notify(f"Saved {path}.", markup=False)
