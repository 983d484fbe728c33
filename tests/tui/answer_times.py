"""How much CPU time the app takes to answer a key or a click."""

import asyncio
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

from textual import events
from textual.app import App
from textual.keys import REPLACED_KEYS, _get_unicode_name_from_key
from textual.message import Message
from textual.message_pump import MessagePump

PATIENCE = 5.0  # seconds until an event counts as one that nothing has answered


class AnswerTimer:
    """Sends keys and clicks to an app, and measures how long each takes to be answered.

    It is answered when the last widget that sees the event has handled it and the screen has been
    drawn after that; three times if widgets were added, which are laid out and sized one after the
    other. All that the process does meanwhile counts.
    """

    def __init__(self, app: App[Any]) -> None:
        self.app = app
        self._awaited: type[events.InputEvent] | None = None
        self._handled = asyncio.Event()

    @classmethod
    @contextmanager
    def of(cls, app: App[Any]) -> Iterator[Self]:
        """Return a timer that sees how an app handles events, until the context is left."""
        timer, dispatch = cls(app), MessagePump._dispatch_message

        async def dispatch_and_note(pump: MessagePump, message: Message) -> None:
            if timer._awaited is None or not isinstance(message, timer._awaited):
                await dispatch(pump, message)
                return
            forwarded = message.is_forwarded
            await dispatch(pump, message)
            last = pump is app and (forwarded or not message.is_forwarded)
            if last or message._stop_propagation:
                timer._awaited = None
                timer._handled.set()

        MessagePump._dispatch_message = dispatch_and_note  # type: ignore[method-assign,assignment]
        try:
            yield timer
        finally:
            MessagePump._dispatch_message = dispatch  # type: ignore[method-assign]

    async def key(self, key: str) -> float | None:
        """Press a key; return the CPU milliseconds until it is answered; None: it was not."""
        character = key if len(key) == 1 else None
        with suppress(KeyError):
            character = unicodedata.lookup(_get_unicode_name_from_key(REPLACED_KEYS.get(key, key)))
        began = time.process_time()
        self._await(events.Key)
        self.app.post_message(events.Key(key, character))
        return await self._answered(began)

    async def click(self, x: int, y: int) -> float | None:
        """Click; return the CPU milliseconds until it is answered; None: nothing was clicked."""
        began = time.process_time()
        self._await(events.Click)
        for kind in (events.MouseDown, events.MouseUp, events.Click):
            event = kind(None, x, y, 0, 0, 1, False, False, False, x, y)
            if kind is events.MouseDown:
                self.app.mouse_position = event.screen_offset
            self.app.screen._forward_event(event)
        return await self._answered(began)

    def _await(self, kind: type[events.InputEvent]) -> None:
        self._handled.clear()
        self._awaited = kind

    async def _answered(self, began: float) -> float | None:
        widgets = len(self.app._registry)
        try:
            await asyncio.wait_for(self._handled.wait(), PATIENCE)
        except TimeoutError:
            self._awaited = None
            return None
        for _ in range(3 if len(self.app._registry) > widgets else 1):
            drawn = asyncio.Event()
            self.app.screen.call_after_refresh(drawn.set)
            while not (drawn.is_set() or self._idle):
                await asyncio.sleep(0.001)
        return 1000 * (time.process_time() - began)

    @property
    def _idle(self) -> bool:
        """Whether no message waits, and nothing is to be laid out or drawn."""
        screen = self.app.screen
        loop: Any = asyncio.get_running_loop()
        return not (
            loop._ready
            or screen._layout_required
            or screen._repaint_required
            or screen._scroll_required
            or screen._dirty_widgets
            or screen._callbacks
        )
