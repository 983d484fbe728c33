"""The Map page: artists and songs in a plane, placed by the hidden states of a network."""

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
from tui.sources.child_commands import INSTALLED, Programs
from tui.sources.restarting_process import ProcessEnded
from tui.widgets.fields import FormPanel
from tui.widgets.footer import Footer
from tui.widgets.heading import Heading

_NO_MODEL = "No lyrics model yet: press 1, then n to train one; press r to search again"


class MapScreen(ModelPage[FormPanel]):
    """Artists as points; enter shows an artist's songs, and then the songs most similar to one."""

    AUTO_FOCUS = "MapPlane"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="map.open",
                tooltip="Show the artist's songs, or the songs most similar to the song"),
        Binding("escape", "back", "Back", id="map.back",
                tooltip="Go back to the artists, or stop reading songs"),
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
        & #similar { display: none; width: 44; padding: 0 1; border-left: vkey $foreground 20%; }
        & #similar.-open { display: block; }
        & #similar Static { width: 1fr; }
        & #status { max-height: 3; }
        &.-normal FormPanel, &.-short FormPanel, &.-normal #page, &.-short #page { margin-top: 0; }
        &.-medium #page, &.-narrow #page { layout: vertical; }
        &.-medium #similar, &.-narrow #similar { width: 100%; height: 7; border-left: none;
                                           border-top: hkey $foreground 20%; }
        &.-short #similar { height: 4; }
        &.-short #status { max-height: 2; }
    }
    """

    _plane = getters.query_one(MapPlane)

    def __init__(self, programs: Programs = INSTALLED) -> None:
        super().__init__(programs, FormPanel(), "lyrics")
        self.map: SongMap | None = None  # the map that is shown
        self.similar: SimilarSongs | None = None  # the list beside it
        self._request_id = 0  # the id of the request in progress; 0 without one
        self._reading: ReadProgress | None = None
        self._artist: str | None = None  # whose songs are shown or requested; None: all artists
        self._name: str | None = None  # the point of the requested map that gets the cursor
        self._song = ""  # the song whose similar songs are listed

    def compose(self) -> ComposeResult:
        """Lay out the form, the plane, and beside it the list of similar songs."""
        yield Heading()
        yield self.form
        with Container(id="page"):
            yield MapPlane()
            with VerticalScroll(id="similar", can_focus=False):
                yield Static(markup=False)
        yield Static(id="status", markup=False)
        yield Footer()

    def model_changed(self) -> None:
        """Show the map of another model."""
        self._stop()
        self._problem = ""
        self.map = self._artist = self._name = None
        self._close_similar()
        self._plane.show(None)
        self.load()
        self._plane.focus()

    def focus_view(self) -> None:
        """Focus the plane."""
        self._plane.focus()

    # ── requests ─────────────────────────────────────────────────────────────────────────────────

    def _request_map(self, artist: str | None, name: str | None = None) -> None:
        """Request the map of an artist's songs; None: of all artists. name: gets the cursor."""
        self._artist, self._name, self._problem = artist, name, ""
        self._request_id = self.sampler.request(MapSongs(self.form.models.model_name, artist))
        self.refresh_view()

    def _stop(self) -> None:
        if self._request_id:
            self.sampler.stop()
            self._request_id, self._reading = 0, None

    def action_open(self) -> None:
        """Show the artist's songs, or the songs most similar to the song."""
        point = self._plane.point
        if point is None or self._request_id:
            return
        if point.song is None:
            self._request_map(point.name)
        else:
            self._song = point.name
            request = FindSimilar(self.form.models.model_name, song=point.song)
            self._request_id = self.sampler.request(request)

    def action_back(self) -> None:
        """Stop reading songs, or else close an open list, or else go back to the artists."""
        if self._request_id:
            self._stop()
            self._problem = "Stopped. Press r to read the songs again."
        elif self.similar:
            self._close_similar()
        elif self.map and self._artist is not None:
            self._request_map(None, self._artist)
        self._plane.focus()
        self.refresh_view()

    def on_sampler_answered(self, event: SamplerAnswered) -> None:
        """Show the answers to the current request."""
        for answer in event.answers:
            match answer:
                case ProcessEnded(error):
                    self._load_id = self._request_id = 0
                    self._reading, self._problem = None, error
                case Loaded() | Failed() if self.loaded(answer):
                    if not self._problem:
                        point = self._plane.point
                        self._request_map(self._artist, point.name if point else None)
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
                self.map, self._artist = answer, answer.artist
                self._close_similar()
                self._plane.show(answer, self._name)
            case SimilarSongs():
                self.similar = answer
                self.query_one("#similar").add_class("-open")

    # ── view ─────────────────────────────────────────────────────────────────────────────────────

    def _close_similar(self) -> None:
        self.similar = None
        self.query_one("#similar").remove_class("-open")

    @on(MapPlane.Moved)
    def _moved(self) -> None:
        self.refresh_view()

    @on(MapPlane.Chosen)
    def _chosen(self) -> None:
        self.action_open()

    def refresh_view(self) -> None:
        """Show the similar songs and the status."""
        if self.similar:
            lines = [Content.styled(f"Nearest to {clean(self._song)}", "bold")]
            for song in self.similar.songs:
                by = f"{clean(song.artist)} – " if song.artist else ""
                lines.append(Content(f"{song.similarity:5.2f}  {by}{clean(song.title)}"))
            self.query_one("#similar Static", Static).update(Content("\n").join(lines))
        dot = f"a song by {clean(self._artist)}" if self._artist else "an artist"
        self.query_one(Heading).show(f"Each dot is {dot}; near means similar to the network")
        self.show_status(self._status(), bool(self._problem))

    def _status(self) -> str:
        if self._problem:
            return f"✗ {self._problem}"
        if self.form.model is None:
            return "○ looking for models" if self._searching else _NO_MODEL
        if self._reading:
            return f"○ read {self._reading.read:,} of {self._reading.songs:,} songs · esc to stop"
        if self.map is None:
            doing = "loading" if self._load_id else "reading songs with"
            return f"○ {doing} {self.form.model.name} …"
        point, count = self._plane.point, len(self.map.points)
        current = "" if point is None else f"▸ {' '.join(point.name.split())}"
        if point and point.songs:
            current += f", {point.songs} songs" if point.songs > 1 else ", 1 song"
        total = f"{count} artists" if self._artist is None else f"{count} songs"
        if self._artist:
            total += f" by {self._artist}"
        variance = f"the two axes show {100 * self.map.share:.0f} % of the variance"
        return " · ".join(filter(None, (current, total, variance)))
