"""Pages whose views and fields are kept over restarts."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from textual.css.query import NoMatches
from textual.screen import Screen

from tui.sources.settings import State
from tui.widgets.styling import StyledOnce


class KeepsState(StyledOnce, Screen[None]):
    """A page that names what it keeps, by tables of settings, and takes it up again.

    The app sets `saved` before the page is mounted, and writes what differs from `first_state`: so
    the file has what the user has changed, and nothing else.
    """

    TABLES: ClassVar[tuple[str, ...]] = ("", "fields", "form")
    saved: Mapping[str, State] = {}
    first_state: Mapping[str, State] = {}

    @abstractmethod
    def kept_state(self) -> dict[str, State]:
        """Return what to keep: values by name, in tables such as "" and "fields"."""

    @abstractmethod
    def restore_state(self, saved: Mapping[str, State]) -> None:
        """Take up what `kept_state` returned before; what is not usable is ignored."""

    def last_state(self) -> dict[str, State]:
        """Return what to keep; of a page that is being closed what it has been at first."""
        try:
            return self.kept_state()
        except NoMatches:  # its widgets are gone
            return dict(self.first_state)

    def on_mount(self) -> None:
        """Take up the state of the last time."""
        self.restore_state(self.saved)
        self.first_state = self.kept_state()
