"""The Music page with a fake sampler and a recorded player, as its tests see and use it."""

import dataclasses
import sys
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from textual.widgets import Input

from tests.tui.page import Page, drawn, fake_programs
from tui.pages.music.piano_roll import PianoRoll
from tui.pages.music.piece import Piece
from tui.pages.music.player_panel import PlayerPanel
from tui.pages.music.screen import MusicScreen
from tui.sources.child_commands import Programs
from tui.widgets.file_dialog import FileDialog

TAPED = Path(__file__).parents[1] / "engine" / "music" / "recording_player.py"


def programs(*ports: str) -> Programs:
    """A player with these ports, which writes to the file `tape`."""
    player = (sys.executable, str(TAPED), "tape", *ports)
    return dataclasses.replace(fake_programs("music"), player=player)


class MusicPage(Page[MusicScreen]):
    kind, mode, programs = MusicScreen, "music", programs("tape")

    @property
    def roll(self) -> PianoRoll:
        return self.screen.query_one(PianoRoll)

    @property
    def stage(self) -> PlayerPanel:
        return self.screen.query_one(PlayerPanel)

    @property
    def piece(self) -> Piece:
        return self.screen.session.items[-1]

    @property
    def transport(self) -> str:
        return self.text_of("#transport")

    @property
    def playing(self) -> bool:
        at = self.stage.status
        return bool(at and at.playing and not at.waiting)

    @property
    def tape(self) -> list[str]:
        """What the ports were sent."""
        path = Path("tape")
        lines = path.read_text().splitlines() if path.exists() else []
        return [line.split()[2] for line in lines]

    def clear_tape(self) -> None:
        """Empty the record of what the ports were sent."""
        Path("tape").write_text("")

    @property
    def struck(self) -> list[int]:
        """The keys that were struck, in order."""
        return [int(words[2:4], 16) for words in self.tape if words[:2] == "90"]

    @property
    def down(self) -> set[int]:
        """The keys that are down now."""
        keys: set[int] = set()
        for words in self.tape:
            if words[0] in "89":
                (keys.add if words[0] == "9" else keys.discard)(int(words[2:4], 16))
        return keys

    @property
    def keys(self) -> dict[str, str]:
        """What the footer calls each key of the page."""
        bindings = self.app.screen.active_bindings.values()
        return {found.binding.key: found.binding.description for found in bindings}

    @property
    def lines(self) -> list[str]:
        """The roll as drawn."""
        return drawn(self.roll)

    async def write(self, *keys: str) -> Piece:
        """Press keys that start a piece, and wait for its end."""
        before = len(self.screen.session.items)
        await self.press(*(keys or ("g",)))
        await self.until(lambda: len(self.screen.session.items) > before and not self.piece.active)
        await self.until(lambda: self.roll.up_to_date)
        return self.piece

    async def open(self, name: str) -> None:
        """Open a file by its name."""
        before = len(self.screen.session.items)
        await self.press("o")
        dialog = await self.in_front(FileDialog)
        dialog.query_one(Input).value = name
        await self.press("enter")
        await self.until(lambda: len(self.screen.session.items) > before)
        await self.until(lambda: self.roll.up_to_date)

    async def save(self, name: str = "") -> FileDialog:
        """Ask to save by a name."""
        await self.press("S")
        dialog = await self.in_front(FileDialog)
        if name:
            dialog.query_one(Input).value = name
            await self.press("enter")
        return dialog


def page(
    size: tuple[int, int] = (80, 24), ready: str = "○ ready", ports: Iterable[str] = ("tape",)
) -> AbstractAsyncContextManager[MusicPage]:
    return MusicPage.opened(size, ready, programs(*ports))
