"""The line of keys at the bottom of every page and dialog."""

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Footer as TextualFooter
from textual.widgets._footer import FooterKey


class FooterContext:
    """A screen that leaves keys out of its footer while they are of no use."""

    def useless_actions(self) -> set[str]:
        """Return the actions whose keys are left out; a press of one shows why it does nothing."""
        raise NotImplementedError


class Footer(TextualFooter):
    """Textual's footer, recomposed only when its keys change, with no more keys than fit.

    Textual recomposes it, with a widget for each key, whenever the focus moves. Where keys do not
    fit, the palette is left out first, then the last keys but Quit: `?` lists them all.
    """

    _shown: list[tuple[object, ...]] | None = None
    _width = 0  # cells for which the keys were chosen

    def compose(self) -> ComposeResult:
        """Lay out the keys, with the style that Textual would give each of them a moment later."""
        self._width = self.app.size.width
        useless = self._useless
        keys = [key for key in super().compose() if isinstance(key, FooterKey)]
        keys = [key for key in keys if key.action not in useless]
        room = self._width
        for key in sorted(keys, key=_is_first_left_out):
            room -= cell_len(key.key_display) + cell_len(key.description) + 3
            if room >= 0:
                continue
            keys.remove(key)
            room += cell_len(key.key_display) + cell_len(key.description) + 3
        for key in keys:
            if not key.has_class("-command-palette"):
                key.set_reactive(FooterKey.compact, self.compact)
            yield key

    @property
    def _useless(self) -> set[str]:
        screen = self.screen
        return screen.useless_actions() if isinstance(screen, FooterContext) else set()

    def on_resize(self) -> None:
        """Choose the keys for another width."""
        if self.app.size.width != self._width:
            self.call_next(self.recompose)

    def bindings_changed(self, screen: Screen[object]) -> None:
        """Recompose if the screen's keys have changed."""
        if screen.app.app_focus and self.is_attached and screen is self.screen:
            shown: list[tuple[object, ...]] = [
                (binding, enabled, tooltip)
                for _, binding, enabled, tooltip in screen.active_bindings.values()
                if binding.show or binding.action == "command_palette"
            ]
            shown += [(action,) for action in sorted(self._useless)]
            if shown == self._shown:
                return
            self._shown = shown
        super().bindings_changed(screen)


def _is_first_left_out(key: FooterKey) -> int:
    """Return the rank of a key: Quit is kept longest, and the palette is left out first."""
    return 2 if key.has_class("-command-palette") else key.action != "quit"
