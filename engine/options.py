"""The options of sampling and playback: tables for lyrics, for music and for the player.

The command line, the fields of the app, the checks of the sampler's protocol and docs/settings.md
all follow from these tables. Plain Python: the app imports this before it draws its first page.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeVar

from engine.errors import InputError
from engine.suggestions import join_or

MAX_LETTERS = 24  # of a text option that is not one of its choices
_SHOWN = 60  # characters of an invalid value that an error quotes


class Step(NamedTuple):
    """The amount by which the up and down keys change a field, and the limits where they stop."""

    size: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Option:
    """A numeric option of sampling or playback: its name, type, range, default and texts."""

    name: str  # as in the protocol, for example top_p
    type: type[int] | type[float]
    default: float | None  # None: unset, explained in `help`
    low: float
    high: float = math.inf  # inf: no limit; a float may be inf itself
    excludes_low: bool = False  # the value must be above `low`
    label: str  # its name in the app and in error messages, for example Top-p
    metavar: str  # the placeholder of its value in `--help`, for example P
    help: str  # one sentence that names the default
    placeholder: str = ""  # shown in its blank field in the app; "": the app has no field for it
    step: Step | None = None  # None: the up and down keys do nothing
    live: bool = False  # whether it can be changed while a song is written or played

    @property
    def flag(self) -> str:
        """The flag on the command line, for example `--top-p`."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def values(self) -> str:
        """A description of the allowed values, for example "a number from 0 to inf"."""
        return range_words(self.type, self.low, self.high, excludes_low=self.excludes_low)

    def check(self, value: object) -> Any:
        """Return a valid value unchanged, except that an int becomes a float if the type is float.

        None is valid only if it is the default. Raises InputError for another type and for a value
        out of range; NaN is out of every range.
        """
        if value is None and self.default is None:
            return None
        if self.type is float and isinstance(value, int) and not isinstance(value, bool):
            try:
                value = float(value)
            except OverflowError as error:
                raise self._error(value) from error
        if not isinstance(value, self.type) or isinstance(value, bool):
            raise self._error(value)
        if not self.low <= value <= self.high or (self.excludes_low and value == self.low):
            raise self._error(value)
        return value

    def convert(self, text: str) -> Any:
        """Parse a number, with or without a leading ×.

        Raises InputError for a text that is not a number, and for a number out of range.
        """
        number = text.strip().removeprefix("×")
        if not number.isascii():  # int() would take the digits of any script
            raise self._error(text)
        try:
            return self.check(self.type(number))
        except (ValueError, InputError) as error:
            raise self._error(text) from error

    def parse(self, text: str) -> Any:
        """Parse the text of a form's field as `convert` does; a blank field means the default."""
        return self.convert(text) if text.strip() else self.default

    def _error(self, value: object) -> InputError:
        return InputError(f"{self.label} must be {self.values}, not {value!r:.{_SHOWN}}.")


@dataclass(frozen=True, kw_only=True)
class TextOption:
    """An option that is one of several words or, if it has `letters`, a text of these letters.

    It has the attributes of an `Option` that do not concern numbers.
    """

    name: str
    default: str
    choices: tuple[str, ...]
    letters: str = ""  # of a text that is not one of the choices; "": there is no such text
    suggestions: tuple[str, ...] = ()  # such texts that the up and down keys offer too
    label: str
    metavar: str
    help: str
    placeholder: str = ""
    live: bool = False
    step: None = None
    type: Any = str

    @property
    def flag(self) -> str:
        """The flag on the command line, for example `--known-words`."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def values(self) -> str:
        """A description of the allowed values, for example "'on' or 'off'"."""
        if not self.letters:
            return join_or(self.choices)
        letters = ", ".join(self.letters)
        return f"{join_or(self.choices)}, or 1 to {MAX_LETTERS} of the letters {letters}"

    def check(self, value: object) -> str:
        """Return a valid value; raises InputError for another one."""
        if isinstance(value, str):
            if value in self.choices:
                return value
            if 0 < len(value) <= MAX_LETTERS and set(value) <= set(self.letters):
                return value
        raise self._error(value)

    def convert(self, text: str) -> str:
        """Parse a text, in which case and blanks do not matter; raises InputError."""
        plain = "".join(text.split())
        try:
            return self.check(plain.lower() if plain.lower() in self.choices else plain.upper())
        except InputError as error:
            raise self._error(text) from error

    def parse(self, text: str) -> str:
        """Parse the text of a form's field as `convert` does; a blank field means the default."""
        return self.convert(text) if text.strip() else self.default

    def _error(self, value: object) -> InputError:
        return InputError(f"{self.label} must be {self.values}, not {value!r:.{_SHOWN}}.")


AnyOption = Option | TextOption
OptionValue = float | str
OptionT = TypeVar("OptionT", bound=AnyOption)


def range_words(
    type_: type[int] | type[float],
    low: float | None,
    high: float | None,
    *,
    excludes_low: bool = False,
) -> str:
    """Describe a range, for example "a whole number from 1 to 8" or "a finite number of 0 or more".

    low, high: None means no limit. For a float, a `high` of inf means that inf itself is valid.
    """
    noun = "a whole number" if type_ is int else "a number" if high else "a finite number"
    if low is None:
        return noun if high is None else f"{noun} up to {high:,}"
    if high is None or (type_ is int and high == math.inf):
        return f"{noun} above {low:,}" if excludes_low else f"{noun} of {low:,} or more"
    if excludes_low:
        return f"{noun} above {low:,} and at most {high:,}"
    return f"{noun} from {low:,} to {high:,}"


def _table(options: Sequence[OptionT]) -> dict[str, OptionT]:
    return {option.name: option for option in options}


_MEMORY = Option(
    name="memory",
    type=float,
    default=1.0,
    low=0,
    high=1,
    label="Memory",
    metavar="P",
    help="Weight of the match memory, which recalls what followed the same passage earlier "
    "(default 1): 0 turns it off; only for models that have one.",
    placeholder="1",
    step=Step(0.1, 0, 1),
    live=True,
)


def _seed(what: str) -> Option:
    return Option(
        name="seed",
        type=int,
        default=None,
        low=0,
        label="Seed",
        metavar="N",
        help=f"Random seed (default: a new one each time): the same seed and options write {what}.",
        placeholder="new each time",
        step=Step(1, 0, math.inf),
    )


def _switch(name: str, label: str, help_text: str, default: str = "on") -> TextOption:
    return TextOption(
        name=name, default=default, choices=("on", "off"), label=label, metavar="on|off",
        help=help_text, placeholder=default, live=True,
    )  # fmt: skip


# In the order of the form on the Lyrics page, where only the first ones are seen without scrolling.
LYRICS_OPTIONS: dict[str, AnyOption] = _table([
    Option(
        name="temperature", type=float, default=0.7, low=0, label="Temperature", metavar="T",
        help="Sampling temperature (default 0.7): 0 always takes the most probable character, "
        "inf samples uniformly.",
        placeholder="0.7", step=Step(0.1, 0, 2), live=True,
    ),
    TextOption(
        name="form", default="VCVCBC", choices=("none",), letters="VCB", suggestions=("VCVC",),
        label="Form", metavar="PLAN",
        help="Order of verses (V), choruses (C) and bridges (B), in which the first chorus "
        "returns (default VCVCBC); none, or with a length: as the model writes it.",
        placeholder="VCVCBC", live=True,
    ),
    Option(
        name="candidates", type=int, default=8, low=1, high=64, label="Candidates", metavar="N",
        help="Write N versions of each line and keep the one that reads best (default 8); 1: "
        "keep what comes first.",
        placeholder="8", step=Step(1, 1, 64), live=True,
    ),
    TextOption(
        name="rhyme", default="none", choices=("none", "aabb", "abab"), label="Rhyme",
        metavar="none|aabb|abab",
        help="Choose lines that rhyme, in pairs or crosswise, where the model can (default none); "
        "English only.",
        placeholder="none", live=True,
    ),
    _MEMORY,
    Option(
        name="length", type=int, default=None, low=1, label="Length", metavar="N",
        help="Write exactly N characters (default: until the song ends, at most 5,000).",
        placeholder="until it ends", step=Step(100, 100, 5_000),
    ),
    Option(
        name="count", type=int, default=1, low=1, high=1_000, label="Count", metavar="N",
        help="Write N songs at once, with consecutive seeds (default 1).",
        placeholder="1", step=Step(1, 1, 16),
    ),
    _seed("the same song"),
    Option(
        name="top_k", type=int, default=0, low=0, label="Top-k", metavar="K",
        help="Sample from the K most probable characters only (default 0: from all).",
        placeholder="all", step=Step(5, 0, 100), live=True,
    ),
    Option(
        name="top_p", type=float, default=1.0, low=0, high=1, excludes_low=True, label="Top-p",
        metavar="P",
        help="Sample from the most probable characters that add up to P (default 1: from all).",
        placeholder="1", step=Step(0.05, 0.05, 1), live=True,
    ),
    Option(
        name="min_p", type=float, default=0.0, low=0, high=1, label="Min-p", metavar="P",
        help="Keep characters at least P times as probable as the top one (default 0: all).",
        placeholder="0", step=Step(0.05, 0, 1), live=True,
    ),
    Option(
        name="guidance", type=float, default=1.0, low=0, high=10, label="Guidance", metavar="G",
        help="Strength of the artist style (default 1: as trained): 0 turns it off, 2 exaggerates "
        "it.",
        placeholder="1", step=Step(0.1, 0, 3), live=True,
    ),
    Option(
        name="repetition", type=float, default=0.0, low=0, high=10, label="Repetition",
        metavar="R",
        help="Penalize text that repeats earlier text (default 0: no penalty); 1 is strong.",
        placeholder="0", step=Step(0.1, 0, 3), live=True,
    ),
    Option(
        name="line", type=int, default=0, low=0, high=200, label="Line", metavar="N",
        help="Wrap lines after about N characters (default 0: no wrapping).",
        placeholder="no wrapping", step=Step(5, 0, 200), live=True,
    ),
    _switch("known_words", "Known words", "Write only words of the training songs (default on)."),
    _switch("ending", "Ending", "End songs at a length that training songs have (default on)."),
    _switch(
        "raw", "Raw", "Draw one character after another, as in the article: one candidate, any "
        "words, no form, no rhyme, any ending (default off).", "off",
    ),
])  # fmt: skip

# Those of them that decide how a character is chosen; they can be changed while songs are written.
LYRICS_SAMPLING_OPTIONS = {name: option for name, option in LYRICS_OPTIONS.items() if option.live}

# What the option `raw` means.
RAW: Mapping[str, Any] = {
    "candidates": 1,
    "known_words": "off",
    "form": "none",
    "rhyme": "none",
    "ending": "off",
}

# Options that the command line and the protocol have, but the form on the Lyrics page has not.
LYRICS_EXTRA_OPTIONS = _table([
    Option(
        name="best", type=int, default=None, low=1, high=1_000, label="Best", metavar="N",
        help="Write N songs and keep the one that the model finds most probable (default: keep "
        "all).",
    ),
    Option(
        name="novelty", type=int, default=None, low=20, label="Novelty", metavar="N",
        help="Report what is copied from training songs in stretches of N or more characters "
        "(default: no report; without N: 20).",
    ),
    Option(
        name="alternatives", type=int, default=0, low=0, high=100, label="Alternatives",
        metavar="K",
        help="With --json, list the K most probable characters at each position (default 0).",
    ),
])  # fmt: skip

# In the order of the form on the Music page.
MUSIC_OPTIONS: dict[str, AnyOption] = _table([
    Option(
        name="temperature", type=float, default=1.0, low=0, label="Temperature", metavar="T",
        help="Sampling temperature (default 1): 0 takes the more probable state of each key, "
        "inf tosses a coin for each.",
        placeholder="1", step=Step(0.1, 0, 2),
    ),
    TextOption(
        name="form", default="auto", choices=("auto", "none"), letters="ABCD",
        suggestions=("AABB", "ABAB"), label="Form", metavar="PLAN",
        help="Order of parts of eight bars, such as AABB, in which parts return (default auto): "
        "auto draws which bars return from the training pieces, if these repeat bars and there is "
        "no prompt; none leaves it to the model.",
        placeholder="auto",
    ),
    Option(
        name="candidates", type=int, default=16, low=1, high=64, label="Candidates", metavar="N",
        help="Write N versions of each new bar and keep one without clashes that is neither the "
        "most nor the least probable (default 16); 1: draw frame by frame.",
        placeholder="16", step=Step(1, 1, 64),
    ),
    replace(_MEMORY, live=False),
    Option(
        name="least", type=int, default=0, low=0, high=10, label="Min notes", metavar="N",
        help="Minimum number of notes in each frame (default 0); 1 prevents silence.",
        placeholder="0", step=Step(1, 0, 10),
    ),
    Option(
        name="length", type=int, default=None, low=1, high=100_000, label="Length",
        metavar="FRAMES",
        help="Write exactly this many frames (default: until the piece ends, at most as long as "
        "the longest training piece).",
        placeholder="until it ends",
    ),
    replace(_seed("the same music"), step=None),
    replace(
        _switch(
            "guard", "Guard", "Hold no chord or silence longer, and write no more parallel fifths "
            "and octaves, than the training pieces do (default on).",
        ),
        live=False,
    ),
])  # fmt: skip

# Options of the command line and the Music page that write several pieces.
MUSIC_EXTRA_OPTIONS: dict[str, Option] = _table([
    Option(
        name="count", type=int, default=1, low=1, high=1_000, label="Count", metavar="N",
        help="Write N pieces with consecutive seeds, to FILE-1, FILE-2 and so on (default 1).",
    ),
    Option(
        name="best", type=int, default=None, low=1, high=1_000, label="Best", metavar="N",
        help="Write N pieces and keep the one that the model finds most probable (default: write "
        "one).",
    ),
])  # fmt: skip

# Those of them that decide how a piece is written; and those that decide how a frame is drawn,
# which playing along and harmonizing have too.
MUSIC_SAMPLING_OPTIONS = {
    name: option for name, option in MUSIC_OPTIONS.items() if name not in {"length", "seed"}
}
FRAME_OPTIONS = {
    name: option
    for name, option in MUSIC_SAMPLING_OPTIONS.items()
    if name not in {"form", "candidates"}
}

# Options of the Music page and, except velocity, of `rnn-tui play`.
PLAYBACK_OPTIONS: dict[str, AnyOption] = _table([
    Option(
        name="tempo", type=float, default=1.0, low=0.1, high=10, label="Tempo", metavar="X",
        help="Speed factor (default 1: as written).",
        placeholder="× 1", step=Step(0.1, 0.1, 4), live=True,
    ),
    Option(
        name="transpose", type=int, default=0, low=-60, high=60, label="Transpose", metavar="N",
        help="Transpose by N semitones (default 0); a negative N transposes down.",
        placeholder="0", step=Step(1, -24, 24), live=True,
    ),
    Option(
        name="velocity", type=float, default=1.0, low=0.1, high=10, label="Velocity", metavar="X",
        help="Velocity factor (default 1: as written).",
        placeholder="× 1", step=Step(0.1, 0.1, 4), live=True,
    ),
    _switch(
        "metronome", "Metronome", "Click on the beats as a metronome, accented where a bar begins "
        "(default off).", "off",
    ),
])  # fmt: skip
