"""The ladder as it is climbed: what each rung is, how good it is, and what it wrote."""

import re
from dataclasses import dataclass, field

from engine.protocol import LadderCharacter, LadderStep, Progress
from tui.formatting import NOTHING, clean, progress_bar

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

    def receive(self, answer: Progress | LadderStep | LadderCharacter) -> None:
        """Add an answer."""
        match answer:
            case Progress(doing=doing):
                self.doing = doing
            case LadderStep(rung=rung) if rung < len(self.steps):
                self.steps[rung].name, self.steps[rung].bits = answer.name, answer.bits
            case LadderCharacter(rung=rung) if rung < len(self.steps):
                self.steps[rung].text += answer.text

    def again(self) -> None:
        """Wipe what was written; how good the rungs are stays until it is told anew."""
        self.doing = ""
        for step in self.steps:
            step.text = ""
