"""Choosing one of a model's artists by typing a part of the name."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from engine.errors import InputError
from tui.formatting import clean
from tui.pages.lyrics.options import check_mix
from tui.widgets.fields import Field

NO_ARTIST = "anyone"
MAX_SHOWN = 200  # names in the list at a time; typing brings the others


def matching(artists: Sequence[str], query: str) -> list[str]:
    """The artists with the query in their names, whatever the case: first those it begins."""
    query = query.strip().casefold()
    found = [name for name in artists if query in name.casefold()]
    return sorted(found, key=lambda name: not name.casefold().startswith(query))


class ArtistInput(Field):
    """The field to type in; its up and down keys walk through the list below."""

    BINDING_GROUP_TITLE = "Artist"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "walk('cursor_up')", "Up", show=False, id="lyrics.artist.up",
                tooltip="The artist above in the list"),
        Binding("down", "walk('cursor_down')", "Down", show=False, id="lyrics.artist.down",
                tooltip="The artist below in the list"),
        Binding("pageup", "walk('page_up')", "Page up", show=False, id="lyrics.artist.page_up",
                tooltip="A page up in the list of artists"),
        Binding("pagedown", "walk('page_down')", "Page down", show=False,
                id="lyrics.artist.page_down", tooltip="A page down in the list of artists"),
    ]  # fmt: skip

    async def action_walk(self, way: str) -> None:
        """Move in the list."""
        if isinstance(self.parent, ArtistField):
            self.parent.walk(way)

    async def action_submit(self) -> None:
        """Take what is marked in the list."""
        if isinstance(self.parent, ArtistField):
            self.parent.take()
        await super().action_submit()


class ArtistField(Vertical):
    """A field with a list below it that opens while it is typed in."""

    DEFAULT_CSS = """
    ArtistField {
        width: 1fr;
        height: 1;
        & > OptionList {
            display: none;
            overlay: screen;
            constrain: none inside;
            width: 34;
            height: auto;
            text-wrap: nowrap;
            text-overflow: ellipsis;
            max-height: 12;
            padding: 0;
            border: none;
            background: $panel;
            scrollbar-size-vertical: 1;
            & > .option-list--option { padding: 0 1; }
        }
        &.-open > OptionList { display: block; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._artists: tuple[str, ...] = ()
        self._input = ArtistInput("", NO_ARTIST, "artist")
        self._list = OptionList(markup=False)
        self._list.can_focus = False  # the keys stay with the field
        self._taken = ""  # the text that was chosen, as against typed

    def compose(self) -> ComposeResult:
        """The field and its list."""
        yield self._input
        yield self._list

    def set_artists(self, artists: Sequence[str]) -> None:
        """Offer these; one chosen before that is not among them is forgotten."""
        self._artists = tuple(dict.fromkeys(artists))
        self._input.placeholder = NO_ARTIST if artists else "this model knows no artists"
        self._input.disabled = not artists
        typing = self._input.has_focus and bool(artists)
        if self._input.value not in artists and not typing and not self.mix:
            self._choose("")
        self._fill()

    def choose_first(self) -> None:
        """Choose the first artist, if there are any."""
        if self._artists:
            self._choose(self._artists[0])

    def value(self) -> str | None:
        """The artist, None for anyone and for a mix.

        Raises InputError where no name has what was typed, and for a mix's wrong weights.
        """
        text = self._input.value.strip()
        if self.mix:
            check_mix(text)
            return None
        if not text or text.casefold() == NO_ARTIST:
            return None
        if text in self._artists:
            return text
        found = matching(self._artists, text)
        if not found:
            raise InputError(f"No artist of this model has {text!r} in the name: type less of it.")
        return found[0]

    @property
    def mix(self) -> str | None:
        """Several artists with their weights, where such are typed: "Ada=0.7, Bo=0.3"."""
        text = self._input.value.strip()
        return text if "=" in text and text not in self._artists else None

    def take(self) -> None:
        """Choose what is marked in the open list, if anything is, and close it."""
        option = self._list.highlighted_option
        if self.mix:
            self._taken = self._input.value
        elif self.has_class("-open") and option is not None and not option.disabled:
            self._choose(option.id or "")
        self.remove_class("-open")

    def cancel(self) -> None:
        """Close the open list, and go back to what was chosen before it opened."""
        if self.has_class("-open"):
            self._choose(self._taken)
        self.remove_class("-open")

    def walk(self, way: str) -> None:
        """Move the mark in the list: `cursor_up`, `cursor_down`, `page_up` or `page_down`."""
        self.add_class("-open")
        getattr(self._list, f"action_{way}")()

    def _choose(self, name: str) -> None:
        self._taken = self._input.value = name

    def _fill(self) -> None:
        """List what matches: everybody where the text is what was chosen before."""
        text = self._input.value
        query = "" if text == self._taken else text.strip()
        found = matching(self._artists, query)
        options = [Option(clean(name), id=name) for name in found[:MAX_SHOWN]]
        if not query:
            options.insert(0, Option(NO_ARTIST))
        elif NO_ARTIST.startswith(query.casefold()):
            options.append(Option(NO_ARTIST))
        if len(found) > MAX_SHOWN:
            options.append(Option(f"and {len(found) - MAX_SHOWN:,} more: type on", disabled=True))
        if not options:
            options.append(Option("nobody of that name", disabled=True))
        self._list.set_options(options)
        here = [index for index, option in enumerate(options) if text and option.id == text]
        self._list.highlighted = here[0] if here else (None if options[0].disabled else 0)

    @on(Input.Changed)
    def _typed(self) -> None:
        self.set_class(self._input.value != self._taken and not self.mix, "-open")
        self._fill()

    def on_descendant_focus(self) -> None:
        """Open the list."""
        self._fill()
        self.add_class("-open")

    def on_descendant_blur(self) -> None:
        """Take what is marked, and close the list."""
        self.take()

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._choose(event.option.id or "")
        self.remove_class("-open")
