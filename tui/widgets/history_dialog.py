"""The list of all songs or pieces written: found by text, starred, reopened, exported, deleted."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from engine.errors import WorkError
from tui.formatting import clean
from tui.sources.history import History, Work
from tui.widgets.confirm import ConfirmScreen
from tui.widgets.fields import set_text
from tui.widgets.file_dialog import FileDialog
from tui.widgets.footer import Footer
from tui.widgets.styling import StyledOnce

STAR = "★"
_HINT = "enter: export · escape: cancel"


class WorkList(OptionList):
    """The list of works. (Textual's own key enter would be left out of the footer.)"""

    BINDING_GROUP_TITLE = "History"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Open", id="history.open",
                tooltip="Show it again, and set the fields as they were"),
    ]  # fmt: skip


class HistoryDialog(StyledOnce, ModalScreen[Work | None]):
    """A dialog that lists all songs or all pieces, and returns the one to reopen; None without one.

    write: writes a work to a file, in the format that the file's suffix names. suggest: the
    suggested file name. formats: the suffixes, in words. preview: a work as shown beside the list.
    """

    BINDING_GROUP_TITLE = "History"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "star", "Star", id="history.star",
                tooltip="Star the song or piece, or take its star away"),
        Binding("F", "only_starred", "Starred", id="history.only_starred",
                tooltip="List only what has a star, or all"),
        Binding("slash", "search", "Find", id="history.search", key_display="/",
                tooltip="Find by words of the text, the artist or the model"),
        Binding("E", "export", "Export", id="history.export",
                tooltip="Write it to a file, in the format of the file name's suffix"),
        Binding("x,delete", "delete", "Delete", id="history.delete", key_display="x",
                tooltip="Delete it from the list"),
        Binding("escape", "close", "Close", id="history.close",
                tooltip="Leave the search, or close the list"),
        Binding("question_mark,f1", "app.help", "Help", show=False, id="history.help",
                tooltip="Show all keys of this list"),
    ]  # fmt: skip
    AUTO_FOCUS = "#works"
    DEFAULT_CSS = """
    HistoryDialog {
        & > Vertical { width: 100%; height: 1fr; background: $surface; padding: 0 1; }
        & #heading { text-style: bold; height: 1; }
        & #query { background: $panel; padding: 0 1; margin: 0 0 1 0; }
        & #works { width: 2fr; height: 1fr; border: none; padding: 0; background: $surface;
                   text-wrap: nowrap; text-overflow: ellipsis; scrollbar-size-vertical: 1; }
        & #preview { width: 3fr; padding: 0 0 0 2; border-left: vkey $foreground 20%; }
        & #preview Static { height: auto; }
        & #none { height: auto; color: $text-muted; }
        &.-narrow #preview { display: none; }
        &.-medium #works { width: 1fr; }
        &.-medium #preview { width: 1fr; }
        &.-short #query { margin: 0; }
    }
    """

    def __init__(
        self,
        history: History,
        kind: str,
        write: Callable[[Work, Path], Awaitable[None]],
        suggest: Callable[[Work], str],
        formats: str,
        preview: Callable[[Work], str],
    ) -> None:
        super().__init__()
        self._history, self._kind = history, kind
        self._write, self._suggest = write, suggest
        self._formats, self._preview = formats, preview
        self._only_starred = False
        self.works: list[Work] = []  # those listed

    def compose(self) -> ComposeResult:
        """Lay out the search above, and below it the list and the preview."""
        with Vertical():
            yield Static(id="heading", markup=False)
            yield Input(placeholder="/ to find by words", id="query", compact=True)
            yield Static(id="none", markup=False)
            with Horizontal():
                yield WorkList(id="works", markup=False)
                with VerticalScroll(id="preview", can_focus=False):
                    yield Static(markup=False)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """List all works."""
        self._list()

    @property
    def chosen(self) -> Work | None:
        """The highlighted work; None if the list is empty."""
        index = self.query_one("#works", OptionList).highlighted
        return self.works[index] if index is not None and index < len(self.works) else None

    @on(Input.Changed, "#query")
    @work(exclusive=True, group="find")
    async def _list(self) -> None:
        """List the works that the search finds, the highlighted one still highlighted."""
        query, before = self.query_one("#query", Input).value, self.chosen
        try:
            found = await asyncio.to_thread(
                self._history.find, self._kind, query, self._only_starred
            )
        except WorkError as error:
            self._fail(error)
            return
        self._show(found, before)

    def _show(self, found: Sequence[Work], before: Work | None) -> None:
        self.works = list(found)
        works = self.query_one("#works", OptionList)
        works.set_options(Option(_row(entry)) for entry in found)
        ids = [entry.id for entry in found]
        works.highlighted = (
            ids.index(before.id) if before and before.id in ids else 0 if ids else None
        )
        what = "songs" if self._kind == "lyrics" else "pieces"
        which = f"starred {what}" if self._only_starred else what
        counted = which.removesuffix("s") if len(found) == 1 else which
        set_text(self.query_one("#heading", Static), f"History: {len(found):,} {counted}")
        none = self.query_one("#none", Static)
        none.display = not found
        set_text(none, f"No {which} found.")
        self._show_preview()

    @on(OptionList.OptionHighlighted)
    def _show_preview(self) -> None:
        chosen = self.chosen
        text = clean(self._preview(chosen)) if chosen else ""
        set_text(self.query_one("#preview Static", Static), text)

    @on(Input.Submitted, "#query")
    def _leave_search(self) -> None:
        self.query_one("#works").focus()

    @on(OptionList.OptionSelected)
    def _reopen(self) -> None:
        """Close the dialog, and show the work on its page."""
        if self.chosen is not None:
            self.dismiss(self.chosen)

    def action_search(self) -> None:
        """Go to the search."""
        self.query_one("#query").focus()

    def action_close(self) -> None:
        """Leave the search, or close the dialog."""
        if self.focused is self.query_one("#query"):
            self._leave_search()
        else:
            self.dismiss(None)

    def action_only_starred(self) -> None:
        """List only works with a star, or all."""
        self._only_starred = not self._only_starred
        self._list()

    @work
    async def action_star(self) -> None:
        """Star the highlighted work, or take its star away."""
        if (chosen := self.chosen) is not None:
            await self._change(self._history.star, chosen.id, not chosen.starred)

    @work
    async def action_delete(self) -> None:
        """Delete the highlighted work, after a question."""
        if (chosen := self.chosen) is None:
            return
        question = f"Delete “{clean(chosen.title)}” from the history?"
        if await self.app.push_screen_wait(ConfirmScreen(question, "Delete")):
            await self._change(self._history.delete, chosen.id)

    async def _change(self, change: Callable[..., None], *arguments: int) -> None:
        try:
            await asyncio.to_thread(change, *arguments)
        except WorkError as error:
            self._fail(error)
        self._list()

    @work
    async def action_export(self) -> None:
        """Ask for a file name, and write the highlighted work to it."""
        if (chosen := self.chosen) is None:
            return

        async def write(path: Path) -> None:
            await self._write(chosen, path)

        question = f"Export as {self._formats}"
        dialog = FileDialog(question, _HINT, write, self._suggest(chosen), new=True)
        path = await self.app.push_screen_wait(dialog)
        if path is not None:
            self.notify(f"Saved {path}.", markup=False)

    def _fail(self, error: WorkError) -> None:
        self.notify(str(error), severity="error", markup=False)


def _row(entry: Work) -> Content:
    """Return the row of a work: its star, its day and its title."""
    day = time.strftime("%d %b %H:%M", time.localtime(entry.written))
    star = STAR if entry.starred else " "
    title = " ".join(clean(entry.title).split())
    return Content.assemble((f"{star} ", "bold $warning"), (f"{day}  ", "$text-muted"), title)
