"""The ladder as it is climbed: what each rung is, how good it is, and what it wrote."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from tui.formatting import NOTHING, clean, progress_bar
from tui.sources.told import Doing, Part, Rung, Written

# What stands on the rungs until it is told; the last one is the model chosen.
NAMES = ("uniform", "frequencies", *(f"markov {order}" for order in range(1, 9)), "network")
BAR = 8  # cells


def in_line(text: str) -> str:
    """Verses in one line: a slash ends a verse, two end a stanza."""
    return clean(re.sub("\n+", lambda found: " // " if len(found[0]) > 1 else " / ", text))


@dataclass
class Step:
    """A rung."""

    name: str
    bits: float | None = None  # per character on songs that were held out
    text: str = ""

    def label(self, most: float, with_bar: bool) -> str:
        """The name and the bits in columns; most: the bits that fill the bar."""
        figure = NOTHING if self.bits is None else f"{self.bits:.2f}"
        words = f"{clean(self.name):11.11} {figure:>4}"
        if with_bar and self.bits is not None and most > 0:
            words += " " + progress_bar(self.bits / most, BAR)
        return words

    @property
    def figure(self) -> str:
        """The bits in words."""
        return "" if self.bits is None else f"{self.bits:.3f} bits"

    @property
    def line(self) -> str:
        """The text in one line, as verses are quoted."""
        return in_line(self.text)


@dataclass
class Ladder:
    """All rungs, from the simplest model up."""

    steps: list[Step] = field(default_factory=lambda: [Step(name) for name in NAMES])
    doing: str = ""  # what is going on before they write

    @property
    def most(self) -> float:
        """The most bits of a rung; 0 before any are known."""
        return max((step.bits for step in self.steps if step.bits is not None), default=0.0)

    def hear(self, parts: Iterable[Part]) -> None:
        """Take in what came."""
        for part in parts:
            if isinstance(part, Doing):
                self.doing = part.words
            elif isinstance(part, Rung) and part.place < len(self.steps):
                step = self.steps[part.place]
                step.name, step.bits = part.name, part.bits
            elif isinstance(part, Written) and part.place < len(self.steps):
                self.steps[part.place].text += part.text

    def again(self) -> None:
        """Wipe what was written; how good the rungs are stays until it is told anew."""
        self.doing = ""
        for step in self.steps:
            step.text = ""
