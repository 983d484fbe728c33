"""The Map page: artists and songs in the plane, by the hidden state of a network."""

from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from engine.protocol import (
    Failed,
    FindSimilar,
    Loaded,
    MapSongs,
    ReadProgress,
    SamplerAnswer,
    SimilarSongs,
    SongMap,
)
from tui.formatting import clean
from tui.pages.map.plane import MapPlane
from tui.pages.model_page import ModelPage, SamplerAnswered
from tui.sources.process import ProcessEnded
from tui.sources.programs import INSTALLED, Programs
from tui.widgets.fields import FormPanel
from tui.widgets.footer import Footer

_NO_MODEL = "No lyrics model yet: press 1, then n to train one; press r to search again"


class MapScreen(ModelPage[FormPanel]):
    """Artists as points; enter opens an artist's songs, and for a song the most similar ones."""

    AUTO_FOCUS = "MapPlane"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="map.open",
                tooltip="Show the artist's songs, or the songs most similar to the song"),
        Binding("escape", "back", "Back", id="map.back",
                tooltip="Go back to the artists; stops reading songs"),
        Binding("m", "field('model')", "Model", id="map.model", tooltip="Choose a model"),
        Binding("r", "reload", "Reload", show=False, id="map.reload",
                tooltip="Search for new models and draw the map again"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    MapScreen {
        & FormPanel { layout: horizontal; width: 1fr; height: 1; margin: 1 1 0 1; padding: 0; }
        & FormPanel > Horizontal { width: 36; margin: 0; }
        & FormPanel Label { width: 8; }
        & FormPanel #model-info { width: 1fr; height: 1; padding: 0 2; margin: 0;
                                  text-wrap: nowrap; text-overflow: ellipsis; }
        & FormPanel #problem { display: none; }
        & #page { layout: horizontal; height: 1fr; margin: 1 1 0 1; }
        & #near { display: none; width: 44; padding: 0 1; border-left: vkey $foreground 20%; }
        & #near.-open { display: block; }
        & #near Static { width: 1fr; }
        & #status { max-height: 3; }
        &.-normal FormPanel, &.-short FormPanel, &.-normal #page, &.-short #page { margin-top: 0; }
        &.-medium #page, &.-narrow #page { layout: vertical; }
        &.-medium #near, &.-narrow #near { width: 100%; height: 7; border-left: none;
                                           border-top: hkey $foreground 20%; }
        &.-short #near { height: 4; }
        &.-short #status { max-height: 2; }
    }
    """

    _plane = getters.query_one(MapPlane)

    def __init__(self, programs: Programs = INSTALLED) -> None:
        super().__init__(programs, FormPanel(), "lyrics")
        self.placed: SongMap | None = None  # what is shown
        self.near: SimilarSongs | None = None  # the songs nearest to one that was opened
        self._request_id = 0  # the id of the request under way, 0 when there is none
        self._reading: ReadProgress | None = None
        self._artist: str | None = None  # whose songs are shown, or asked for
        self._name: str | None = None  # the point that the cursor is to go to
        self._of = ""  # the song that the nearest are to

    def compose(self) -> ComposeResult:
        """Lay out the plane, and beside it the songs nearest to one."""
        yield self.form
        with Container(id="page"):
            yield MapPlane()
            with VerticalScroll(id="near", can_focus=False):
                yield Static(markup=False)
        yield Static(id="status", markup=False)
        yield Footer()

    def model_changed(self) -> None:
        """Place the artists by the model that the user has chosen."""
        self._stop()
        self._problem = ""
        self.placed = self._artist = self._name = None
        self._close()
        self._plane.show(None)
        self.load()
        self._plane.focus()

    def focus_view(self) -> None:
        """Focus the plane."""
        self._plane.focus()

    # ── asking ───────────────────────────────────────────────────────────────────────────────────

    def _place(self, artist: str | None, name: str | None = None) -> None:
        """Ask where an artist's songs lie, or the artists; then the cursor goes to a name."""
        self._artist, self._name, self._problem = artist, name, ""
        self._request_id = self.sampler.request(MapSongs(self.form.models.model_name, artist))
        self.refresh_view()

    def _stop(self) -> None:
        if self._request_id:
            self.sampler.stop()
            self._request_id, self._reading = 0, None

    def action_open(self) -> None:
        """Show the artist's songs, or the songs nearest to the song."""
        point = self._plane.point
        if point is None or self._request_id:
            return
        if point.song is None:
            self._place(point.name)
        else:
            self._of = point.name
            request = FindSimilar(self.form.models.model_name, song=point.song)
            self._request_id = self.sampler.request(request)

    def action_back(self) -> None:
        """Stop the reading; else close the nearest songs; else go back to the artists."""
        if self._request_id:
            self._stop()
            self._problem = "Stopped. Press r to read the songs again."
        elif self.near:
            self._close()
        elif self.placed and self._artist is not None:
            self._place(None, self._artist)
        self._plane.focus()
        self.refresh_view()

    def on_sampler_answered(self, event: SamplerAnswered) -> None:
        """Show what was found."""
        for answer in event.answers:
            match answer:
                case ProcessEnded(error):
                    self._load_id = self._request_id = 0
                    self._reading, self._problem = None, error
                case Loaded() | Failed() if self.loaded(answer):
                    if not self._problem:
                        point = self._plane.point
                        self._place(self._artist, point.name if point else None)
                case _ if self._request_id and answer.id == self._request_id:
                    self._receive(answer)
        self.refresh_view()

    def _receive(self, answer: SamplerAnswer) -> None:
        if isinstance(answer, ReadProgress):
            self._reading = answer
            return
        self._request_id, self._reading = 0, None
        match answer:
            case Failed(error):
                self._problem = error
            case SongMap():
                self.placed, self._artist = answer, answer.artist
                self._close()
                self._plane.show(answer, self._name)
            case SimilarSongs():
                self.near = answer
                self.query_one("#near").add_class("-open")

    # ── what is in view ──────────────────────────────────────────────────────────────────────────

    def _close(self) -> None:
        self.near = None
        self.query_one("#near").remove_class("-open")

    @on(MapPlane.Moved)
    def _moved(self) -> None:
        self.refresh_view()

    @on(MapPlane.Chosen)
    def _chosen(self) -> None:
        self.action_open()

    def refresh_view(self) -> None:
        """Show the nearest songs and the status."""
        if self.near:
            lines = [Content.styled(f"Nearest to {clean(self._of)}", "bold")]
            for song in self.near.songs:
                by = f"{clean(song.artist)} – " if song.artist else ""
                lines.append(Content(f"{song.similarity:5.2f}  {by}{clean(song.title)}"))
            self.query_one("#near Static", Static).update(Content("\n").join(lines))
        self.show_status(self._status(), bool(self._problem))

    def _status(self) -> str:
        if self._problem:
            return f"✗ {self._problem}"
        if self.form.model is None:
            return "○ looking for models" if self._searching else _NO_MODEL
        if self._reading:
            return f"○ read {self._reading.read:,} of {self._reading.songs:,} songs · esc to stop"
        if self.placed is None:
            doing = "loading" if self._load_id else "reading songs with"
            return f"○ {doing} {self.form.model.name} …"
        point, count = self._plane.point, len(self.placed.points)
        here = "" if point is None else f"▸ {' '.join(point.name.split())}"
        if point and point.songs:
            here += f", {point.songs} songs" if point.songs > 1 else ", 1 song"
        what = f"{count} artists" if self._artist is None else f"{count} songs"
        if self._artist:
            what += f" by {self._artist}"
        share = f"the two axes show {100 * self.placed.share:.0f} % of the variance"
        return " · ".join(filter(None, (here, what, share)))
