"""What the tests of the app's pages share: waiting, and a page of a running app."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Generic, Self, TypeVar

from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, Select, Static, TextArea

from engine.runs.run_dir import RunDir
from tui.app import RnnTuiApp
from tui.sources.programs import Programs

S = TypeVar("S", bound=Screen[Any])
T = TypeVar("T", bound=Screen[Any])


# Every command fails at once: for tests that need none.
FAILING = Programs(cli=(sys.executable, "-c", "raise SystemExit(1)"))


def make_app(
    mode: str = "train", run: RunDir | None = None, programs: Programs = FAILING
) -> RnnTuiApp:
    """The app, which begins with a page of this mode."""
    return RnnTuiApp(mode, run, programs)


async def until(pilot: Pilot[None], true: Callable[[], object]) -> None:
    """Wait until something is true, however long the machine takes."""
    if true():
        return
    for _ in range(3000):
        await asyncio.sleep(0.01)  # not a pause of the pilot's: that costs as much again
        if true():
            await pilot.pause()
            if true():
                return
    raise AssertionError("it never came true")


async def in_front(pilot: Pilot[None], kind: type[T]) -> T:
    """Wait until a screen of this kind is in front, and give it."""
    await until(pilot, lambda: isinstance(pilot.app.screen, kind))
    screen = pilot.app.screen
    assert isinstance(screen, kind)
    return screen


def drawn(widget: Widget) -> list[str]:
    """The rows of a widget as drawn, without colours."""
    return [strip.text for strip in widget.render_lines(widget.size.region)]


class Page(Generic[S]):
    """What a test looks at: a page of the app, its fields and its words."""

    kind: type[S]
    mode: str  # one of the app's
    programs = FAILING

    def __init__(self, pilot: Pilot[None], screen: S) -> None:
        self.pilot, self.app, self.screen = pilot, pilot.app, screen

    @classmethod
    async def of(cls, pilot: Pilot[None]) -> Self:
        """The page, as soon as it is in front."""
        return cls(pilot, await in_front(pilot, cls.kind))

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, size: tuple[int, int], ready: str = "", programs: Programs | None = None
    ) -> AsyncIterator[Self]:
        """An app that begins with the page, once its status has these words."""
        app = make_app(cls.mode, programs=programs or cls.programs)
        async with app.run_test(size=size) as pilot:
            page = await cls.of(pilot)
            if ready:
                await page.until(lambda: ready in page.status)
            yield page

    @property
    def status(self) -> str:
        return self.said("#status")

    @property
    def problem(self) -> str:
        return self.said("#problem")

    @property
    def focused(self) -> str | None:
        return self.screen.focused.id if self.screen.focused else None

    def said(self, selector: str) -> str:
        """The words of a line of the page."""
        return str(self.screen.query_one(selector, Static).visual)

    def says(self, words: str) -> bool:
        """Whether the line of the dialog in front has these words."""
        return words in str(self.app.screen.query_one("#message", Static).visual)

    def field(self, name: str) -> Input:
        return self.screen.query_one(f"#{name}", Input)

    def select(self, name: str) -> Select[Any]:
        return self.screen.query_one(f"#{name}", Select)

    def seen(self, widget: Widget) -> bool:
        return widget.is_on_screen and bool(self.screen.find_widget(widget).visible_region)

    async def until(self, true: Callable[[], object]) -> None:
        await until(self.pilot, true)

    async def until_said(self, words: str) -> None:
        """Wait for a note with these words."""
        await self.until(lambda: any(words in note.message for note in self.app._notifications))

    async def in_front(self, kind: type[T]) -> T:
        return await in_front(self.pilot, kind)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def go(self, key: str, name: str) -> None:
        """Press the key that brings the focus to a field."""
        await self.press(key)
        await self.until(lambda: self.focused == name)

    async def fill(self, **values: str) -> None:
        for name, value in values.items():
            self.field(name).value = value
        await self.pilot.pause()

    async def still(self) -> None:
        """Have no cursor blink in what is in front: a picture of it shall not depend on when."""
        for field in self.app.screen.query(Input):
            field.cursor_blink = False
        for area in self.app.screen.query(TextArea):
            area.cursor_blink = False
        await self.pilot.pause()
