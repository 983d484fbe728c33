"""The Lyrics page with a fake sampler, as its tests see and use it."""

from contextlib import AbstractAsyncContextManager

from tests.tui.page import Page, drawn, fake_programs
from tui.pages.lyrics.grid import SongTile
from tui.pages.lyrics.screen import LyricsScreen
from tui.pages.lyrics.session import SongView
from tui.pages.lyrics.shading import LyricsText
from tui.sources.child_commands import Programs


class LyricsPage(Page[LyricsScreen]):
    kind, mode, programs = LyricsScreen, "lyrics", fake_programs("lyrics")

    @property
    def text(self) -> LyricsText:
        return self.screen.query_one(LyricsText)

    @property
    def song(self) -> SongView:
        return self.screen.session.items[-1]

    @property
    def tiles(self) -> list[SongTile]:
        """Those that are shown."""
        return [tile for tile in self.screen.query(SongTile) if tile.display]

    @property
    def lines(self) -> str:
        """The sheet as drawn."""
        return "\n".join(drawn(self.text))

    async def write(self, *keys: str) -> SongView:
        """Press keys that start a song, and wait for its end."""
        before = len(self.screen.session.items)
        await self.press(*(keys or ("g",)))
        await self.until(lambda: len(self.screen.session.items) > before and not self.song.active)
        return self.song


def page(
    size: tuple[int, int] = (80, 24), ready: str = "○ ready", programs: Programs | None = None
) -> AbstractAsyncContextManager[LyricsPage]:
    return LyricsPage.opened(size, ready, programs)
