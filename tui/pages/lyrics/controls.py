"""The form of the Lyrics page: the model, the prompt, the artist and the options of decoding."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from textual.widget import Widget

from engine.errors import InputError
from engine.options import LYRICS_OPTIONS, LYRICS_SAMPLING_OPTIONS, Option
from engine.protocol import SampleLyrics
from tui.pages.lyrics.artist_field import ArtistField
from tui.sources.settings import State
from tui.widgets.fields import Field, FormPanel, PrimeField, option_field, option_text, row

MAX_SONGS = 16  # side by side
FIRST = ("temperature", "count")  # the options that are always shown


def _number(name: str) -> Option:
    option = LYRICS_OPTIONS[name]
    assert isinstance(option, Option)
    return option


OPTIONS = LYRICS_OPTIONS | {
    "count": replace(_number("count"), high=MAX_SONGS),
}


class LyricsControls(FormPanel):
    """The form of the Lyrics page; options that the chosen model does not have are disabled."""

    DEFAULT_CLASSES = "-side"
    DEFAULT_CSS = """
    LyricsControls { width: 50; }
    """

    def __init__(self) -> None:
        self._artist = ArtistField()
        self._prime = PrimeField()
        given = {"temperature": "0.7"}
        names = (*FIRST, *(name for name in OPTIONS if name not in FIRST))
        fields = [option_field(OPTIONS[name], given.get(name, "")) for name in names]
        super().__init__(self._prime, *fields, rare=names[len(FIRST) :])

    def compose_rows(self) -> Iterable[Widget]:
        """Put the artist below the prompt."""
        prime, *others = super().compose_rows()
        return prime, row("Artist", self._artist), *others

    def on_mount(self) -> None:
        """Label the enter key "Sing" in the footer, as the g key is labelled."""
        for field in self.query(Field):
            field.rename_submit("Sing")

    def state(self) -> dict[str, State]:
        """Return what is kept, the artist too."""
        kept = super().state()
        return kept | {"fields": {**kept["fields"], "artist": self._artist.text}}

    def restore(self, saved: Mapping[str, State]) -> None:
        """Fill in the fields that were kept."""
        super().restore(saved)
        self._artist.text = str(saved.get("fields", {}).get("artist", ""))

    def fill(self, request: SampleLyrics) -> None:
        """Fill in the fields as they were for a request."""
        self._prime.value = request.prime
        self._artist.text = request.artist or request.mix or ""
        values = {**request.options, "seed": request.seed, "length": request.length}
        values["count"] = min(request.count, MAX_SONGS)
        for name, option in OPTIONS.items():
            self.fields[name].value = option_text(option, values.get(name))

    @property
    def prime(self) -> str:
        """The prompt: how the next song begins."""
        return self._prime.value

    @property
    def temperature(self) -> float | None:
        """The temperature in its field; None if the text is not a valid temperature."""
        try:
            return float(self.fields["temperature"].parse())
        except InputError:
            return None

    def show_model(self) -> None:
        """Describe the model; disable the match memory if it has none."""
        super().show_model()
        self._artist.model_loaded = False
        memory = self.fields["memory"]
        memory.disabled = not (self.model and self.model.match_memory)
        memory.placeholder = "no match memory" if memory.disabled else OPTIONS["memory"].placeholder
        memory.set_class(memory.disabled, "-long")
        if memory.disabled:
            memory.value = ""

    # ── the artist ───────────────────────────────────────────────────────────────────────────────

    def set_artists(self, artists: Sequence[str]) -> None:
        """Offer these artists."""
        self._artist.set_artists(artists)
        self.check()

    def suggest(self) -> None:
        """Choose an artist if none is chosen. (The prompt is filled in from the start.)"""
        if not self._artist.value():
            self._artist.choose_first()

    def accept(self) -> None:
        """Choose the highlighted artist, and add the prompt to its history."""
        self._artist.accept()
        self._prime.remember()

    def cancel(self) -> None:
        """Restore the artist chosen before, if a name was being typed."""
        self._artist.cancel()

    # ── the request ──────────────────────────────────────────────────────────────────────────────

    def request(self, count: int | None = None) -> SampleLyrics:
        """Return the request for songs; raises InputError where a field is wrong.

        count: the number of songs; None: that of the field.
        """
        model = self.require_model()
        for problem in self.problems().values():
            raise InputError(problem)
        values = self.values(OPTIONS)
        values["count"] = count or values["count"]
        artist, mix = self._artist.value(), self._artist.mix
        bits = values["count"] > 1  # so that the most probable song can be found
        sampling = {name: values.pop(name) for name in LYRICS_SAMPLING_OPTIONS}
        return SampleLyrics(model, self.prime, artist, mix, sampling, bits=bits, **values)

    def problems(self) -> dict[str, str]:
        """Return the problems by the names of their fields, a sentence each."""
        problems = {}
        try:
            self._artist.value()
        except InputError as error:
            problems["artist"] = str(error)
        problems |= super().problems()
        guided = (
            not {"artist", "guidance"} & problems.keys() and self.fields["guidance"].parse() != 1
        )
        if guided and not (self._artist.value() or self._artist.mix):
            problems["guidance"] = "Guidance needs an artist: choose one, or a mix."
        return problems
