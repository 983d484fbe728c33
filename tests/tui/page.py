"""What the tests of the app's pages share: waiting, and access to a page."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Generic, Self, TypeVar

import pytest
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, Select, Static, TextArea

from engine.runs.run_dir import RunDir
from tests.tui import fake_models, fake_worker
from tui.app import RnnTuiApp
from tui.sources.child_commands import Programs
from tui.widgets.file_dialog import FileDialog

S = TypeVar("S", bound=Screen[Any])
T = TypeVar("T", bound=Screen[Any])


# The default of tests: every command fails at once.
FAILING = Programs(cli=(sys.executable, "-c", "raise SystemExit(1)"))


def fake_programs(page: str, *words: str) -> Programs:
    """Return the fake programs of a page: the list of models, and the sampler with these words."""
    return Programs(
        cli=(sys.executable, "-I", "-S", fake_models.__file__, page),  # a quarter of the start
        sampler=(sys.executable, fake_worker.__file__, page, *words),
    )


def make_app(
    mode: str | None = "train", run: RunDir | None = None, programs: Programs = FAILING
) -> RnnTuiApp:
    """Return an app that opens on the page of this mode."""
    return RnnTuiApp(mode, run, programs)


def use_models(monkeypatch: pytest.MonkeyPatch, models: str = "models") -> None:
    """Have the page find these models, one of the values of `fake_models.MODELS_VARIABLE`."""
    monkeypatch.setenv(fake_models.MODELS_VARIABLE, models)


async def until(pilot: Pilot[None], condition: Callable[[], object]) -> None:
    """Wait until a condition holds; fail after half a minute or more."""
    if condition():
        return
    for _ in range(3000):
        await asyncio.sleep(0.01)  # pilot.pause() would cost twice the time
        if condition():
            await pilot.pause()
            if condition():
                return
    raise AssertionError("the condition never held")


async def settle(pilot: Pilot[None]) -> None:
    """Wait until nothing is left to handle, lay out or draw: under load a pause can end earlier."""

    def is_idle() -> bool:
        screen = pilot.app.screen  # those behind a dialog are not drawn
        pumps = [pilot.app, *pilot.app.screen_stack]
        pumps += (pump for one in pilot.app.screen_stack for pump in one.walk_children())
        return not (
            screen._layout_required
            or screen._repaint_required
            or screen._dirty_widgets
            or screen._callbacks
            or any(pump.message_queue_size or pump._next_callbacks for pump in pumps)
        )

    await pilot.pause()
    await until(pilot, is_idle)


async def in_front(pilot: Pilot[None], kind: type[T]) -> T:
    """Wait until a screen of this class is in front; return it."""
    await until(pilot, lambda: isinstance(pilot.app.screen, kind))
    screen = pilot.app.screen
    assert isinstance(screen, kind)
    return screen


def drawn(widget: Widget) -> list[str]:
    """Return the rows of a widget as text, without colors."""
    return [strip.text for strip in widget.render_lines(widget.size.region)]


class Page(Generic[S]):
    """A page of the app under test: its fields and texts."""

    kind: type[S]
    mode: str  # of the app
    programs = FAILING

    def __init__(self, pilot: Pilot[None], screen: S) -> None:
        self.pilot, self.app, self.screen = pilot, pilot.app, screen

    @classmethod
    async def of(cls, pilot: Pilot[None]) -> Self:
        """Wait until the page is in front; return it."""
        return cls(pilot, await in_front(pilot, cls.kind))

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, size: tuple[int, int], ready: str = "", programs: Programs | None = None
    ) -> AsyncIterator[Self]:
        """Open the app on the page, and wait until `ready` is in its status."""
        app = make_app(cls.mode, programs=programs or cls.programs)
        async with app.run_test(size=size) as pilot:
            page = await cls.of(pilot)
            if ready:
                await page.until(lambda: ready in page.status)
            yield page

    @property
    def status(self) -> str:
        return self.text_of("#status")

    @property
    def problem(self) -> str:
        return self.text_of("#problem")

    @property
    def focused(self) -> str | None:
        return self.screen.focused.id if self.screen.focused else None

    def text_of(self, selector: str) -> str:
        """Return the text of a line of the page."""
        return str(self.screen.query_one(selector, Static).visual)

    def dialog_shows(self, text: str) -> bool:
        """Return whether the message of the dialog in front contains a text."""
        return text in str(self.app.screen.query_one("#message", Static).visual)

    def field(self, name: str) -> Input:
        return self.screen.query_one(f"#{name}", Input)

    def signs(self, name: str) -> list[Widget]:
        """Return what can be clicked before and after a field."""
        row = self.field(name).parent
        assert row
        return [*row.query(".step")]

    def select(self, name: str) -> Select[Any]:
        return self.screen.query_one(f"#{name}", Select)

    def is_visible(self, widget: Widget) -> bool:
        return widget.is_on_screen and bool(self.screen.find_widget(widget).visible_region)

    async def until(self, condition: Callable[[], object]) -> None:
        await until(self.pilot, condition)

    async def until_notified(self, text: str) -> None:
        """Wait for a notification that contains a text."""
        await self.until(lambda: any(text in note.message for note in self.app._notifications))

    async def in_front(self, kind: type[T]) -> T:
        return await in_front(self.pilot, kind)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def focus_by(self, key: str, name: str) -> None:
        """Press the key that moves the focus to a field."""
        await self.press(key)
        await self.until(lambda: self.focused == name)

    async def fill(self, **values: str) -> None:
        for name, value in values.items():
            self.field(name).value = value
        await self.pilot.pause()

    async def stop_blinking(self) -> None:
        """Stop the cursors, so that a snapshot does not depend on the time."""
        for field in self.app.screen.query(Input):
            field.cursor_blink = False
        for area in self.app.screen.query(TextArea):
            area.cursor_blink = False
        await self.pilot.pause()


def picture_comparison(
    kind: type[Page[Any]], monkeypatch: pytest.MonkeyPatch, snap_compare: Callable[..., bool]
) -> Callable[..., bool]:
    """Return compare(size, *keys, models="models", theme=None, **fields) for a page that writes.

    It compares the page with its picture: the fields are filled in, then the keys pressed; a song
    or piece that was begun is waited for, and the dialog of the key S.
    """

    def compare(
        size: tuple[int, int],
        *keys: str,
        models: str = "models",
        theme: str | None = None,
        **fields: str,
    ) -> bool:
        use_models(monkeypatch, models)
        app = make_app(kind.mode, programs=kind.programs)
        if theme:
            app.theme = theme

        async def before(pilot: Pilot[None]) -> None:
            page = await kind.of(pilot)
            if models == "models":
                await page.until(lambda: "ready" in page.status)
            else:
                await page.until(lambda: not page.screen._searching)
            await page.fill(**fields)
            for key in keys:
                await page.press(key)
                await page.until(lambda: not any(item.active for item in page.screen.session.items))
                if key == "S":
                    await page.in_front(FileDialog)
            await page.stop_blinking()
            await settle(pilot)

        return snap_compare(app, terminal_size=size, run_before=before)

    return compare
