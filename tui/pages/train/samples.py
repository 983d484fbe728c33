"""The samples that a run has written, newest first."""

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from engine.runs.events import Sampled
from tui.formatting import clean
from tui.roll_text import roll_lines

_MAX_FRAMES = 32  # shown of a music sample


class Samples(VerticalScroll, can_focus=False):
    """A list of samples, each with its step, artist, prompt and continuation."""

    DEFAULT_CSS = """
    Samples { scrollbar-size-vertical: 1; padding: 0 1; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._samples: tuple[Sampled, ...] | None = None

    def compose(self) -> ComposeResult:
        """Lay out the text, still empty."""
        yield Static(id="texts", markup=False)

    def show(self, samples: tuple[Sampled, ...]) -> None:
        """Show these samples."""
        if samples != self._samples:
            self._samples = samples
            self.query_one("#texts", Static).update(_styled(samples))


def _styled(samples: tuple[Sampled, ...]) -> Content:
    """Return the samples as one text, with the prompts bold and underlined."""
    if not samples:
        return Content.styled(
            "No samples yet. They appear here during training; press g to write some now.",
            "$foreground 60%",
        )
    parts: list[Content | tuple[str, str]] = []
    for sample in samples:
        source = f"step {sample.step:,} · {sample.condition or 'no artist'}"
        parts.append((f"{clean(source)} · temperature {sample.temperature:g}\n", "$foreground 60%"))
        if sample.notes is not None:
            parts.append(("\n".join(roll_lines(sample.notes, _MAX_FRAMES)) + "\n\n", ""))
            continue
        parts.append((clean(sample.prime), "bold underline"))
        parts.append((clean(sample.text).rstrip() + "\n\n", ""))
    return Content.assemble(*parts)


def plain_text(samples: tuple[Sampled, ...]) -> str:
    """Return the samples as text for the clipboard."""
    texts = []
    for sample in samples:
        text = sample.prime + sample.text
        if sample.notes is not None:
            text += "\n".join(roll_lines(sample.notes, _MAX_FRAMES))
        texts.append(f"# step {sample.step} · {sample.condition or 'no artist'}\n{text}")
    return "\n\n".join(texts)
