"""Notices of runs: one has ended, or its validation loss no longer falls."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from engine.runs.run_state import ACTIVE
from tui.sources.run_summary import RunRow
from tui.sources.runs import RunList

WATCH_SECONDS = 3.0  # between two readings of the runs
_WORSE = 3  # evaluations in a row above the best: chance alone makes one or two


@dataclass(frozen=True)
class Notice:
    """A sentence about a run."""

    sentence: str
    severity: Literal["information", "warning", "error"] = "information"


class RunWatcher:
    """Compares the runs with those of the last call of `read`."""

    def __init__(self, runs: RunList) -> None:
        self._runs = runs
        self._active: set[str] = set()  # the keys of the runs that were being trained
        self._turned: set[tuple[str, int]] = set()  # keys and best steps that were noticed

    def read(self) -> list[Notice]:
        """Return what is new since the last call; of the first call, nothing has ended."""
        notices = []
        rows = self._runs.read()
        for row in rows:
            if row.state in ACTIVE:
                notices += self._rising(row)
            elif row.key in self._active:
                notices.append(_ended(row))
        self._active = {row.key for row in rows if row.state in ACTIVE}
        return notices

    def _rising(self, row: RunRow) -> list[Notice]:
        if row.best is None or row.worse < _WORSE or (row.key, row.best.step) in self._turned:
            return []
        self._turned.add((row.key, row.best.step))
        return [
            Notice(
                f"{row.run.name}: the validation loss has risen since step {row.best.step:,} "
                f"({row.best_loss}). Press s on the Train page to stop the run; the best "
                "checkpoint is kept.",
                "warning",
            )
        ]


def _ended(row: RunRow) -> Notice:
    best = f", best {row.best_loss}" if row.best else ""
    words = f"{row.run.name}: {row.state} at step {row.step:,}{best}."
    return Notice(words, "error" if row.state in ("failed", "crashed") else "information")


def desktop_notification(sentence: str, environ: Mapping[str, str]) -> str:
    """Return what makes the terminal show a notification on the desktop; empty if it cannot.

    OSC 9 is understood by iTerm2, kitty, WezTerm and ghostty; OSC
    777 by VTE (GNOME Terminal), foot and rxvt-unicode. A terminal multiplexer passes neither on.
    """
    text = "".join(character for character in sentence if character.isprintable())
    term, program = environ.get("TERM", ""), environ.get("TERM_PROGRAM", "")
    if environ.get("TMUX") or term.startswith(("screen", "tmux")):
        return ""
    if program in ("iTerm.app", "WezTerm", "ghostty") or term.startswith(
        ("xterm-kitty", "xterm-g")
    ):
        return f"\x1b]9;{text}\x07"
    if environ.get("VTE_VERSION") or term.startswith(("foot", "rxvt-unicode")):
        return f"\x1b]777;notify;rnn-tui;{text.replace(';', ',')}\x1b\\"
    return ""
