"""The ladder: the name of each rung, its bits per character, and what it wrote."""

import re
from dataclasses import dataclass, field

from engine.protocol import LadderCharacter, LadderStep, Progress
from tui.formatting import NOTHING, clean, progress_bar

# Names shown until the sampler has named the rungs; the last rung is the chosen model.
NAMES = ("uniform", "frequencies", *(f"markov {order}" for order in range(1, 9)), "network")
BAR = 8  # cells


def in_line(text: str) -> str:
    """Return verses in one line, with "/" between verses and "//" between stanzas."""
    return clean(re.sub("\n+", lambda found: " // " if len(found[0]) > 1 else " / ", text))


@dataclass
class Rung:
    """A rung: one model of the ladder, and its continuation of the prompt."""

    name: str
    bits: float | None = None  # per character on held-out songs
    text: str = ""

    def label(self, max_bits: float, with_bar: bool) -> str:
        """Return the name and the bits in columns.

        max_bits: the bits per character that fill the bar. with_bar: add the bar.
        """
        figure = NOTHING if self.bits is None else f"{self.bits:.2f}"
        words = f"{clean(self.name):11.11} {figure:>4}"
        if with_bar and self.bits is not None and max_bits > 0:
            words += " " + progress_bar(self.bits / max_bits, BAR)
        return words

    @property
    def figure(self) -> str:
        """The bits with their unit; empty while they are not known."""
        return "" if self.bits is None else f"{self.bits:.3f} bits"

    @property
    def line(self) -> str:
        """The text in one line."""
        return in_line(self.text)


@dataclass
class Ladder:
    """All rungs, from the simplest model to the network."""

    rungs: list[Rung] = field(default_factory=lambda: [Rung(name) for name in NAMES])
    progress: str = ""  # what the sampler does before the rungs write

    @property
    def max_bits(self) -> float:
        """The most bits of any rung; 0 before any are known."""
        return max((rung.bits for rung in self.rungs if rung.bits is not None), default=0.0)

    def receive(self, answer: Progress | LadderStep | LadderCharacter) -> None:
        """Add an answer."""
        match answer:
            case Progress(doing):
                self.progress = doing
            case LadderStep(rung, name, bits) if rung < len(self.rungs):
                self.rungs[rung].name, self.rungs[rung].bits = name, bits
            case LadderCharacter(rung, text) if rung < len(self.rungs):
                self.rungs[rung].text += text

    def clear_texts(self) -> None:
        """Remove what was written; the bits stay until new ones are received."""
        self.progress = ""
        for rung in self.rungs:
            rung.text = ""
