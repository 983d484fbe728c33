"""The form of the Music page: the model, the prompt, the options of decoding, and playback."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from textual import on
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Label, Select

from engine.errors import InputError
from engine.music.general_midi import INSTRUMENTS
from engine.music.jam import PartnerSettings
from engine.music.melody import melody_path, parse_melody
from engine.music.pitch import pitch_name
from engine.music.ports import SILENT
from engine.options import (
    FRAME_OPTIONS,
    MUSIC_EXTRA_OPTIONS,
    MUSIC_OPTIONS,
    MUSIC_SAMPLING_OPTIONS,
    PLAYBACK_OPTIONS,
    AnyOption,
    Step,
)
from engine.protocol import FrameLength, Port, SampleMusic
from tui.formatting import clean
from tui.pages.music.prompt_and_length import Prompt, parse_length, parse_prompt
from tui.sources.settings import State
from tui.widgets.fields import Field, FormPanel, field_row, option_field, option_text, row

MAX_PIECES = 16  # written at once
_SEVERAL: dict[str, AnyOption] = {
    "count": replace(
        MUSIC_EXTRA_OPTIONS["count"], high=MAX_PIECES, placeholder="1", step=Step(1, 1, MAX_PIECES),
        help="Write N pieces, with consecutive seeds (default 1); , and . step among them.",
    ),
    "best": replace(MUSIC_EXTRA_OPTIONS["best"], high=MAX_PIECES, placeholder="keep all"),
}  # fmt: skip
_OWN = ("tempo", "transpose", "velocity")  # the options of playback that belong to a piece
_AUTOMATIC = ("automatic", "")  # the choice of the best port, and its value


@dataclass(frozen=True)
class PlaybackSettings:
    """How a piece is played: its own settings, which are applied when it is saved."""

    tempo: float = 1.0  # factor of the speed
    transpose: int = 0  # semitones
    velocity: float = 1.0  # factor of all MIDI velocities
    program: int = 0  # number of a General MIDI instrument, counted from 0


def _parse_melody(text: str) -> str | None:
    """Check a melody, and return it as typed; None: no melody. Raises InputError."""
    if not text:
        return None
    if melody_path(text) is None:
        parse_melody(text)
    return text


class MusicControls(FormPanel):
    """The form of the Music page; changes of playback settings are applied at once."""

    DEFAULT_CLASSES = "-side"
    DEFAULT_CSS = """
    MusicControls Label.headline { width: 1fr; text-style: bold; color: $text; }
    """

    class PortChosen(Message):
        """Another MIDI port was chosen."""

        def __init__(self, name: str | None) -> None:
            super().__init__()
            self.name = name  # None: automatic

    class PlaybackChanged(Message):
        """The user has changed `playback` or `metronome`."""

    def __init__(self) -> None:
        prompt = Field(
            "begins", "Prompt", "none", parse_prompt,
            "How the music begins: notes such as C4 E4 G4, or the path of a MIDI or "
            "MusicXML file.",
        )  # fmt: skip
        melody = Field(
            "melody", "Melody", "none", _parse_melody,
            "A melody to harmonize, which is kept: notes with their lengths in beats, such as "
            "C4 D4 E4:2 r G4:0.5, or the path of a MIDI file.",
        )  # fmt: skip
        frames = MUSIC_OPTIONS["length"]
        length = Field(
            "length", frames.label, frames.placeholder, parse_length,
            f"How much to write: 200 frames, 16 bars or 30 s (default: {frames.placeholder}).",
        )  # fmt: skip
        options = (MUSIC_OPTIONS | PLAYBACK_OPTIONS).values()
        fields = [length if option is frames else option_field(option) for option in options]
        seed = 1 + next(i for i, field in enumerate(fields) if field.id == "seed")
        fields[seed:seed] = map(option_field, _SEVERAL.values())
        super().__init__(prompt, melody, *fields)
        self.frame: FrameLength | None = None  # of the chosen model, once it is loaded
        self.playback = PlaybackSettings()  # of the piece in view
        self.metronome = False  # whether it clicks, for all pieces
        self._port_name = ""  # of the last choice
        self._port: Select[str] = Select(
            [_AUTOMATIC], id="port", value="", compact=True, allow_blank=False
        )
        self._program: Select[int] = Select(
            [(f"{number:3}  {name}", number) for number, name in enumerate(INSTRUMENTS)],
            id="program", value=0, compact=True, allow_blank=False,
        )  # fmt: skip

    def compose_rows(self) -> Iterable[Widget]:
        """Return the rows of what is written, then those of playback."""
        for name, field in self.fields.items():
            if name not in PLAYBACK_OPTIONS:
                yield field_row(field)
        yield Horizontal(Label("Playback", classes="headline"))
        yield row("Port", self._port)
        yield row("Instrument", self._program)
        for name in PLAYBACK_OPTIONS:
            yield field_row(self.fields[name])

    @property
    def prompt(self) -> str:
        """The prompt as typed: how the music begins."""
        return self.fields["begins"].value.strip()

    def show_model(self) -> None:
        """Describe the model; the length of its frames is unknown until it is loaded."""
        super().show_model()
        self.frame = None

    def request(self) -> SampleMusic:
        """Return the request for a piece; raises InputError where a field is wrong."""
        model = self.require_model()
        values = self.values(["begins", "melody", *MUSIC_OPTIONS, *_SEVERAL])
        prompt: Prompt = values.pop("begins")
        if values["melody"] is not None and prompt != Prompt():
            raise InputError("Prompt and Melody exclude each other: leave one of them blank.")
        several = values["count"] > 1 or values["best"] is not None
        if values["count"] > 1 and values["best"] is not None:
            raise InputError("Count and Best exclude each other: leave one of them blank.")
        if values["melody"] is not None and several:
            raise InputError("A melody is harmonized once: leave Count and Best blank.")
        length = values.pop("length")
        sampling = {name: values.pop(name) for name in MUSIC_SAMPLING_OPTIONS}
        return SampleMusic(model, prompt.file, prompt.notes, options=sampling, **length, **values)

    def fill(self, request: SampleMusic) -> None:
        """Fill in the fields as they were for a request."""
        notes = " ".join(map(pitch_name, request.notes or ()))
        self.fields["begins"].value = request.prime or notes
        self.fields["melody"].value = request.melody or ""
        values = {**request.options, "seed": request.seed, "length": request.length}
        values |= {"count": request.count, "best": request.best}
        for name, option in (MUSIC_OPTIONS | _SEVERAL).items():
            self.fields[name].value = option_text(option, values.get(name))
        for unit, length in (("bars", request.bars), ("s", request.seconds)):
            if length is not None:
                self.fields["length"].value = f"{length:g} {unit}"

    def partner_settings(self) -> PartnerSettings:
        """Return the settings to play together; raises InputError where a field is wrong."""
        model = self.require_model()
        if self.frame is None:
            raise InputError("The model is still being loaded: wait a moment.")
        values = self.values([*FRAME_OPTIONS, "seed", "tempo"])
        tempo = self.frame.tempo * values.pop("tempo")
        seed = values.pop("seed")
        return PartnerSettings(model, self.frame, tempo, options=values, seed=seed)

    # ── playback ─────────────────────────────────────────────────────────────────────────────────

    def check(self) -> None:
        """Mark the fields that are wrong; apply the playback settings if they are correct."""
        super().check()
        if not PLAYBACK_OPTIONS.keys() & self.problems():
            self._apply_playback()

    def _apply_playback(self) -> None:
        program = int(self._program.selection or 0)
        settings = PlaybackSettings(**self.values(_OWN), program=program)
        metronome = self.values(["metronome"])["metronome"] == "on"
        if (settings, metronome) != (self.playback, self.metronome):
            self.playback, self.metronome = settings, metronome
            self.post_message(self.PlaybackChanged())

    def show_playback(self, settings: PlaybackSettings) -> None:
        """Fill in the fields of playback with the settings of another piece."""
        self.playback = settings
        for name in _OWN:
            value = getattr(settings, name)
            self.fields[name].value = option_text(PLAYBACK_OPTIONS[name], value)
        self._program.value = settings.program

    # ── kept over restarts ───────────────────────────────────────────────────────────────────────

    def state(self) -> dict[str, State]:
        """Return what is kept: not the settings of playback, which belong to a piece."""
        kept = super().state()
        own = {name: text for name, text in kept["fields"].items() if name not in _OWN}
        return kept | {"fields": own}

    def restore(self, saved: Mapping[str, State]) -> None:
        """Fill in the fields that were kept, but those of playback."""
        own = saved.get("fields", {})
        own = {name: text for name, text in own.items() if name not in _OWN}
        super().restore({**saved, "fields": own})

    def set_ports(self, ports: Sequence[Port]) -> None:
        """Offer these ports; the chosen one stays chosen if it is among them."""
        names = [port.name for port in ports]
        before = self._port.value
        with self.prevent(Select.Changed):
            self._port.set_options([
                _AUTOMATIC,
                *((clean(name), name) for name in dict.fromkeys(names)),
                ("none (silent)", SILENT.name),
            ])  # fmt: skip
            self._port.value = before if before in {*names, SILENT.name} else ""
        self._port_name = str(self._port.value)

    @on(Select.Changed, "#port")
    def _port_chosen(self, event: Select.Changed) -> None:
        event.stop()
        if event.value != self._port_name:
            self._port_name = str(event.value)
            self.post_message(self.PortChosen(self._port_name or None))

    @on(Select.Changed, "#program")
    def _program_chosen(self, event: Select.Changed) -> None:
        event.stop()
        self._apply_playback()
