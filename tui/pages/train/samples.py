"""What a run wrote as it learned, the newest first."""

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from engine.runs.events import Sampled
from tui.formatting import clean
from tui.roll_text import roll_lines

ROLL = 32  # frames of a sample of music that are shown


class Samples(VerticalScroll, can_focus=False):
    """Samples one below the other: where they come from, the given beginning, what followed."""

    DEFAULT_CSS = """
    Samples { scrollbar-size-vertical: 1; padding: 0 1; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._samples: tuple[Sampled, ...] | None = None

    def compose(self) -> ComposeResult:
        """Lay out the text."""
        yield Static(id="texts", markup=False)

    def show(self, samples: tuple[Sampled, ...]) -> None:
        """Show these samples."""
        if samples != self._samples:
            self._samples = samples
            self.query_one("#texts", Static).update(render(samples))


def render(samples: tuple[Sampled, ...]) -> Content:
    """The samples as text, each beginning set off by weight and line, not by colour alone."""
    if not samples:
        return Content.styled(
            "No samples yet. They appear here as the run writes them; w asks for some now.",
            "$foreground 60%",
        )
    parts: list[Content | tuple[str, str]] = []
    for sample in samples:
        source = f"step {sample.step:,} · {sample.condition or 'anyone'}"
        parts.append((f"{clean(source)} · temperature {sample.temperature:g}\n", "$foreground 60%"))
        if sample.notes is not None:
            parts.append(("\n".join(roll_lines(sample.notes, ROLL)) + "\n\n", ""))
            continue
        parts.append((clean(sample.prime), "bold underline"))
        parts.append((clean(sample.text).rstrip() + "\n\n", ""))
    return Content.assemble(*parts)


def plain(samples: tuple[Sampled, ...]) -> str:
    """The samples as text to be copied."""
    return "\n\n".join(
        f"# step {sample.step} · {sample.condition or 'anyone'}\n{sample.prime}{sample.text}"
        + "\n".join(roll_lines(sample.notes or (), ROLL) if sample.notes is not None else ())
        for sample in samples
    )
