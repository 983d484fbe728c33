"""The footer shows the current keys and is recomposed only when they change."""

from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.widgets import Button, Input
from textual.widgets._footer import FooterKey

from tui.widgets.footer import Footer


class _KeyedInput(Input):
    BINDINGS: ClassVar = [Binding("f5", "again", "Again")]

    def action_again(self) -> None:
        """Do nothing."""


class _Page(App[None]):
    BINDINGS: ClassVar = [Binding("f2", "write", "Write")]
    allowed = True

    def compose(self) -> ComposeResult:
        yield Input(id="one")
        yield Input(id="two")
        yield _KeyedInput(id="keyed")
        yield Button()
        yield Footer()

    def action_write(self) -> None:
        """Do nothing."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return None if action == "write" and not self.allowed else True


def _keys(app: App[None]) -> list[FooterKey]:
    return list(app.query_one(Footer).query(FooterKey))


async def test_the_footer_is_recomposed_only_when_its_keys_change() -> None:
    app = _Page()
    async with app.run_test() as pilot:
        await pilot.pause()
        first = _keys(app)
        assert [key.description for key in first if key.key == "f2"] == ["Write"]
        app.query_one("#two").focus()
        await pilot.pause()
        assert all(one is other for one, other in zip(first, _keys(app), strict=True))

        app.query_one("#keyed").focus()
        await pilot.pause()
        assert "Again" in [key.description for key in _keys(app)]
        app.query_one("#one").focus()
        await pilot.pause()
        assert "Again" not in [key.description for key in _keys(app)]

        app.allowed = False
        app.refresh_bindings()
        await pilot.pause()
        assert [key.has_class("-disabled") for key in _keys(app) if key.key == "f2"] == [True]
