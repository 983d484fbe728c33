"""The line of keys at the bottom of every page and dialog."""

from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Footer as TextualFooter
from textual.widgets._footer import FooterKey


class Footer(TextualFooter):
    """Textual's footer, recomposed only when its keys change.

    Textual recomposes it, with a widget for each key, whenever the focus moves.
    """

    _shown: list[tuple[object, ...]] | None = None

    def compose(self) -> ComposeResult:
        """Lay out the keys, with the style that Textual would give each of them a moment later."""
        for key in super().compose():
            if isinstance(key, FooterKey) and not key.has_class("-command-palette"):
                key.set_reactive(FooterKey.compact, self.compact)
            yield key

    def bindings_changed(self, screen: Screen[object]) -> None:
        """Recompose if the screen's keys have changed."""
        if screen.app.app_focus and self.is_attached and screen is self.screen:
            shown: list[tuple[object, ...]] = [
                (binding, enabled, tooltip)
                for _, binding, enabled, tooltip in screen.active_bindings.values()
                if binding.show or binding.action == "command_palette"
            ]
            if shown == self._shown:
                return
            self._shown = shown
        super().bindings_changed(screen)
