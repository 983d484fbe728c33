"""A field for the choice of an artist by a part of the name, or of a mix of artists."""

import math
import re
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
from tui.widgets.fields import Field

NO_ARTIST = "no artist"
MAX_SHOWN = 200  # names in the list at a time; typing narrows it down
_MARGIN = 1e-3  # by which the sum of a mix's weights may differ from 1


def matching(artists: Sequence[str], query: str) -> list[str]:
    """Return the artists whose names contain the query, first those that start with it."""
    query = query.strip().casefold()
    found = [name for name in artists if query in name.casefold()]
    return sorted(found, key=lambda name: not name.casefold().startswith(query))


def check_mix(text: str) -> None:
    """Check the weights of a mix of artists such as "Ada=0.7, Bo=0.3".

    Raises InputError where they do not sum to 1. The names are checked by the sampler, which
    accepts other spellings too.
    """
    weights = []
    for weight in re.findall("=([^=,]*)", text):
        try:
            share = float(weight)
        except ValueError:
            share = math.nan
        if not 0 <= share <= 1:
            raise InputError(f"A weight of the mix must be from 0 to 1, not {weight.strip()!r}.")
        weights.append(share)
    total = math.fsum(weights)
    if abs(total - 1) > _MARGIN:
        raise InputError(f"The weights of the mix must sum to 1, not {total:g}.")


class ArtistInput(Field):
    """The input of an `ArtistField`; its keys move the highlight in the list below it."""

    BINDING_GROUP_TITLE = "Artist"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move('cursor_up')", "Up", show=False, id="lyrics.artist.up",
                tooltip="Highlight the artist above in the list"),
        Binding("down", "move('cursor_down')", "Down", show=False, id="lyrics.artist.down",
                tooltip="Highlight the artist below in the list"),
        Binding("pageup", "move('page_up')", "Page up", show=False, id="lyrics.artist.page_up",
                tooltip="Go up a page in the list of artists"),
        Binding("pagedown", "move('page_down')", "Page down", show=False,
                id="lyrics.artist.page_down", tooltip="Go down a page in the list of artists"),
    ]  # fmt: skip

    def __init__(self) -> None:
        help_ = "Artist style: a name, or a mix such as Ada Moor=0.7, Quiet Harbour=0.3."
        super().__init__("artist", "Artist", NO_ARTIST, str, help_)

    async def action_move(self, movement: str) -> None:
        """Move in the list."""
        if isinstance(self.parent, ArtistField):
            self.parent.move(movement)

    async def action_submit(self) -> None:
        """Choose the highlighted artist, and submit the form."""
        if isinstance(self.parent, ArtistField):
            self.parent.accept()
        await super().action_submit()


class ArtistField(Vertical):
    """A field with a list of artists below it, open while the field is used."""

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
        self.model_loaded = False  # while it is not, the text is not judged
        self._input = ArtistInput()
        self._list = OptionList(markup=False)
        self._list.can_focus = False  # the keys stay with the field
        self._chosen = ""  # the last choice; the text differs while one is typed

    def compose(self) -> ComposeResult:
        """Lay out the field and its list."""
        yield self._input
        yield self._list

    def set_artists(self, artists: Sequence[str]) -> None:
        """Offer these artists; the current choice is cleared if it is not among them."""
        self._artists = tuple(dict.fromkeys(artists))
        self.model_loaded = True
        self._input.placeholder = NO_ARTIST if artists else "no artists"
        self._input.disabled = not artists
        typing = self._input.has_focus and bool(artists)
        if self._input.value not in artists and not typing and not self.mix:
            self._choose("")
        self._update_list()

    @property
    def text(self) -> str:
        """The text of the field: an artist, a mix, or nothing."""
        return self._input.value

    @text.setter
    def text(self, text: str) -> None:
        self._choose(text)

    def choose_first(self) -> None:
        """Choose the first artist, if there are any."""
        if self._artists:
            self._choose(self._artists[0])

    def value(self) -> str | None:
        """Return the artist; None if none is chosen, or if the text is a mix (see `mix`).

        Raises InputError where no name matches the text, and for a mix with wrong weights. Until
        the model is loaded, the text is returned unchanged.
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
        if not found and not self.model_loaded:
            return text
        if not found:
            raise InputError(f"No artist of this model matches {text!r}: type less of the name.")
        return found[0]

    @property
    def mix(self) -> str | None:
        """The text if it is a mix of artists with weights, "Ada=0.7, Bo=0.3"; otherwise None."""
        text = self._input.value.strip()
        return text if "=" in text and text not in self._artists else None

    def accept(self) -> None:
        """Choose what is highlighted in the open list, if anything is, and close it."""
        option = self._list.highlighted_option
        if self.mix:
            self._chosen = self._input.value
        elif self.has_class("-open") and option is not None and not option.disabled:
            self._choose(option.id or "")
        self.remove_class("-open")

    def cancel(self) -> None:
        """Close the open list, and restore what was chosen before it opened."""
        if self.has_class("-open"):
            self._choose(self._chosen)
        self.remove_class("-open")

    def move(self, movement: str) -> None:
        """Move the highlight: movement is `cursor_up`, `cursor_down`, `page_up` or `page_down`."""
        self.add_class("-open")
        getattr(self._list, f"action_{movement}")()

    def _choose(self, name: str) -> None:
        self._chosen = self._input.value = name

    def _update_list(self) -> None:
        """List the artists that match the text; all if nothing was typed since the last choice."""
        text = self._input.value
        query = "" if text == self._chosen else text.strip()
        found = matching(self._artists, query)
        options = [Option(clean(name), id=name) for name in found[:MAX_SHOWN]]
        if not query:
            options.insert(0, Option(NO_ARTIST))
        elif NO_ARTIST.startswith(query.casefold()):
            options.append(Option(NO_ARTIST))
        if len(found) > MAX_SHOWN:
            options.append(Option(f"{len(found) - MAX_SHOWN:,} more: keep typing", disabled=True))
        if not options:
            options.append(Option("no artist matches", disabled=True))
        self._list.set_options(options)
        chosen = [index for index, option in enumerate(options) if text and option.id == text]
        self._list.highlighted = chosen[0] if chosen else (None if options[0].disabled else 0)

    @on(Input.Changed)
    def _typed(self) -> None:
        self.set_class(self._input.value != self._chosen and not self.mix, "-open")
        self._update_list()

    def on_descendant_focus(self) -> None:
        """Open the list."""
        self._update_list()
        self.add_class("-open")

    def on_descendant_blur(self) -> None:
        """Choose what is highlighted, and close the list."""
        self.accept()

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._choose(event.option.id or "")
        self.remove_class("-open")
