"""The Lyrics page, each key and field, with a fake sampler."""

import asyncio
import contextlib
import dataclasses
import json
import math
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from safetensors.numpy import save_file
from textual.binding import Binding
from textual.message import Message
from textual.widgets import Input, OptionList
from textual.widgets._select import SelectOverlay

from engine import config as configs
from engine import paths
from engine.data.codecs import END, CharacterCodec
from engine.model import ngram
from engine.options import LYRICS_OPTIONS
from engine.protocol import SampleLyrics
from engine.runs import run_dir
from tests.tui import fake_models
from tests.tui import fake_worker as fake
from tests.tui.lyrics_page import LyricsPage, page
from tests.tui.page import fake_programs, use_models
from tui.pages.lyrics import artist_field
from tui.pages.lyrics.grid import SongTile
from tui.pages.lyrics.screen import LyricsScreen
from tui.pages.lyrics.shading import LyricsText
from tui.pages.lyrics.song_panel import LyricsEditor
from tui.pages.model_page import SamplerAnswered
from tui.sources import command_runner
from tui.sources.child_commands import INSTALLED
from tui.widgets import fields
from tui.widgets.file_dialog import FileDialog

# Several checks share an app where they do not disturb each other, since starting one takes longer
# than most checks.


async def test_without_a_trained_model_the_page_starts_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use_models(monkeypatch, "bundled")
    paths.settings().parent.mkdir(parents=True, exist_ok=True)
    paths.settings().write_text('[lyrics.fields]\ncount = "4"\n')
    async with page(ready="✓") as lyrics:
        assert lyrics.field("count").value == "4"
        # It is one song, whatever the field says that was kept.
        assert len(lyrics.screen.session.items) == 1
        assert (lyrics.song.request.prime, lyrics.song.request.artist) == ("Why", fake.ARTISTS[0])
        assert lyrics.field("prime").value == "Why"
        assert lyrics.song.text == fake.song(7, None)
        await lyrics.press("4", "2", "r")  # once is enough
        await lyrics.until(lambda: not lyrics.screen._searching and not lyrics.screen._load_id)
        assert len(lyrics.screen.session.items) == 1


async def test_without_a_model_the_page_shows_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use_models(monkeypatch, "none")
    async with page(ready="") as lyrics:
        await lyrics.until(lambda: "rnn-tui train lyrics" in lyrics.lines)
        await lyrics.press("g")
        assert lyrics.screen.session.items == []

        # An artist is judged only once its model is loaded, other values at once.
        await lyrics.fill(artist="Ironmoth")
        assert not lyrics.screen.query_one("#problem").display
        await lyrics.fill(count="99")
        assert "Count must be" in lyrics.text_of("#problem")

        # The click that goes to a field selects its text, so that typing replaces it; the next
        # click sets the cursor.
        await lyrics.pilot.click("#count")
        await lyrics.press("3")
        await lyrics.until(lambda: lyrics.field("count").value == "3")
        await lyrics.pilot.click("#count")
        await lyrics.press("up", "1")
        await lyrics.until(lambda: sorted(lyrics.field("count").value) == ["1", "4"])
        await lyrics.fill(artist="", count="")
        await lyrics.press("escape")

        # An error of the list of models is shown, and r tries again.
        use_models(monkeypatch, "broken")
        await lyrics.press("r")
        await lyrics.until(lambda: "✗ The folder of models cannot be read" in lyrics.status)
        use_models(monkeypatch)
        await lyrics.press("r")
        await lyrics.until(lambda: "○ ready · first" in lyrics.status)


async def test_a_key_pressed_while_models_are_looked_for_is_not_lost_and_no_field_moves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = asyncio.Event()

    async def run(*arguments: str) -> list[dict[str, Any]]:
        await found.wait()
        return fake_models.LYRICS_MODELS

    monkeypatch.setattr(command_runner, "run", run)
    async with page(ready="○ looking for models") as lyrics:
        places = [field.region for field in lyrics.screen.query(Input)]
        await lyrics.press("g")
        await lyrics.until(lambda: "then it begins" in lyrics.status)
        found.set()
        await lyrics.until(lambda: lyrics.screen.session.items and not lyrics.song.active)
        assert lyrics.text.text == "Why" + fake.song(7, None)
        assert [field.region for field in lyrics.screen.query(Input)] == places


async def test_however_fast_songs_are_written_one_update_is_on_its_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    post, handle = LyricsScreen.post_message, LyricsScreen.on_sampler_answered
    under_way, most, handled = 0, 0, 0

    def count_post(screen: LyricsScreen, message: Message) -> bool:
        nonlocal under_way, most
        under_way += isinstance(message, SamplerAnswered)
        most = max(most, under_way)
        return post(screen, message)

    def count_handled(screen: LyricsScreen, event: SamplerAnswered) -> None:
        nonlocal under_way, handled
        under_way, handled = under_way - 1, handled + 1
        handle(screen, event)

    monkeypatch.setattr(LyricsScreen, "post_message", count_post)
    monkeypatch.setattr(LyricsScreen, "on_sampler_answered", count_handled)
    async with page() as lyrics:
        await lyrics.fill(count="16", length="300")
        await lyrics.write()
        assert most == 1
        assert handled > 2
        songs = lyrics.screen.session.items
        await lyrics.until(
            lambda: [tile.text for tile in lyrics.tiles] == [song.whole for song in songs]
        )


async def test_of_two_models_with_one_name_the_path_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [dict(row, name="twin") for row in fake_models.LYRICS_MODELS]

    async def run(*arguments: str) -> list[dict[str, Any]]:
        return rows

    monkeypatch.setattr(command_runner, "run", run)
    async with page() as lyrics:
        assert (await lyrics.write()).request.model == "models/first"


WRONG = [
    ("temperature", "nan", "✗ Temperature must be a number from 0 to inf, not 'nan'."),
    ("top_k", "2.5", "✗ Top-k must be a whole number of 0 or more, not '2.5'."),
    ("top_p", "0", "✗ Top-p must be a number above 0 and at most 1, not '0'."),
    ("min_p", "1.1", "✗ Min-p must be a number from 0 to 1, not '1.1'."),
    ("guidance", "11", "✗ Guidance must be a number from 0 to 10, not '11'."),
    ("guidance", "2", "✗ Guidance needs an artist: choose one, or a mix."),
    ("repetition", "-1", "✗ Repetition must be a number from 0 to 10, not '-1'."),
    ("memory", "2", "✗ Memory must be a number from 0 to 1, not '2'."),
    ("line", "201", "✗ Line must be a whole number from 0 to 200, not '201'."),
    ("form", "xyz", "✗ Form must be 'none', or 1 to 24 of the letters V, C, B, not 'xyz'."),
    ("candidates", "0", "✗ Candidates must be a whole number from 1 to 64, not '0'."),
    ("rhyme", "abba", "✗ Rhyme must be 'none', 'aabb' or 'abab', not 'abba'."),
    ("count", "17", "✗ Count must be a whole number from 1 to 16, not '17'."),
    ("length", "0", "✗ Length must be a whole number of 1 or more, not '0'."),
    ("seed", "-3", "✗ Seed must be a whole number of 0 or more, not '-3'."),
    ("artist", "zeppelin", "✗ No artist of this model matches 'zeppelin': type less"),
    ("artist", "Ada Moor=0.7", "✗ The weights of the mix must sum to 1, not 0.7."),
    ("artist", "Ada Moor=2,Bo=-1", "✗ A weight of the mix must be from 0 to 1, not '2'."),
]


@pytest.mark.slow
async def test_fields_before_the_first_song() -> None:
    async with page() as lyrics:
        # The first model is loaded, and its artists are listed.
        assert "first · 2.01 bits/char" in lyrics.status
        assert "Press g" in lyrics.lines
        assert not lyrics.field("artist").disabled
        assert lyrics.focused is None or lyrics.screen.focused is lyrics.text

        # Without a song, nothing is locked, copied or saved.
        await lyrics.press("k", "c", "S")
        await lyrics.pilot.pause()
        assert lyrics.field("seed").value == ""
        assert lyrics.app.clipboard == ""
        assert isinstance(lyrics.app.screen, LyricsScreen)

        # Brackets, the signs beside the field, and arrows change the temperature.
        field = lyrics.field("temperature")
        await lyrics.press("left_square_bracket")
        assert field.value == "0.6"
        await lyrics.press("right_square_bracket", "right_square_bracket")
        assert field.value == "0.8"
        minus, plus = lyrics.signs("temperature")
        for sign in (plus, plus, minus):
            await lyrics.pilot.click(sign, offset=(1, 0))
        assert field.value == "0.9"
        await lyrics.focus_by("t", "temperature")
        await lyrics.press("up", "up", "down")
        assert field.value == "1"

        # Fields that are rarely changed are shown by a click; the field in use is explained.
        assert lyrics.text_of("#explanation") == LYRICS_OPTIONS["temperature"].help
        rhyme = lyrics.field("rhyme")
        assert not lyrics.is_visible(rhyme)
        await lyrics.pilot.click("#more")
        await lyrics.until(lambda: lyrics.is_visible(rhyme) or rhyme.region)
        assert lyrics.screen.form.more

        # Arrows and the signs go through the choices of a field.
        field = lyrics.field("rhyme")
        field.focus()
        await lyrics.press("down", "down", "up")
        assert field.value == "aabb"
        previous, following = lyrics.signs("rhyme")
        for sign in (following, following, following, previous):
            await lyrics.pilot.click(sign, offset=(1, 0))
        assert field.value == "none"
        lyrics.field("form").focus()
        await lyrics.press("down")
        assert lyrics.field("form").value == "VCVC"
        await lyrics.press("up", "escape")
        assert lyrics.field("form").value == "VCVCBC"

        # Letters are typed into a field with the focus.
        await lyrics.focus_by("p", "prime")
        await lyrics.press(*"gxtc", "left_square_bracket", "comma", "S")
        assert lyrics.field("prime").value == "gxtc[,S"
        assert lyrics.focused == "prime"
        assert lyrics.screen.session.items == []
        await lyrics.press("escape")
        assert lyrics.screen.focused is lyrics.text

        # A wrong value is explained at once and never sent.
        for name, typed, sentence in WRONG:
            await lyrics.fill(**{name: typed})
            assert lyrics.problem.startswith(sentence)
            assert lyrics.field(name).has_class("-invalid")
            lyrics.screen.action_generate()
            assert lyrics.screen.session.items == []
            await lyrics.fill(**{name: ""})
            assert lyrics.problem == ""
            assert not lyrics.field(name).has_class("-invalid")
        await lyrics.fill(min_p="2")
        lyrics.text.focus()
        await lyrics.press("g")
        await lyrics.until(lambda: lyrics.focused == "min_p")
        assert lyrics.screen.session.items == []


@pytest.mark.slow
async def test_songs_of_a_session_are_stopped_browsed_and_written_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with page() as lyrics:
        # Previous songs can be shown while another is written.
        for seed in ("1", "2"):
            await lyrics.fill(seed=seed)
            await lyrics.write()
        await lyrics.fill(prime="wait")
        await lyrics.press("g")
        await lyrics.until(lambda: lyrics.song.state == "writing")
        assert "song 3 of 3" in lyrics.status
        await lyrics.press("comma")
        assert "song 2 of 3" in lyrics.status
        assert lyrics.text.text == "Why" + fake.song(2, None)
        await lyrics.press("comma", "comma", "comma")
        assert lyrics.text.text == "Why" + fake.song(1, None)
        assert not lyrics.text.writing
        assert lyrics.song.active
        await lyrics.press("full_stop", "full_stop", "full_stop")
        assert lyrics.text.text == "wait"
        assert lyrics.text.writing

        # A new song ends the one before.
        await lyrics.fill(prime="Why", seed="")
        assert (await lyrics.write()).text == fake.song(7, None)
        assert lyrics.screen.session.items[2].state == "stopped"

        # G and shift+enter take the seed of the song in view.
        await lyrics.fill(seed="31")
        first = await lyrics.write()
        await lyrics.fill(seed="")
        for key in ("G", "shift+enter"):
            again = await lyrics.write(key)
            assert again is not first
            assert (again.request.seed, again.text) == (31, first.text)
        assert (await lyrics.write("g")).request.seed is None

        # k locks and unlocks the seed.
        await lyrics.press("k")
        assert lyrics.field("seed").value == "7"
        assert (await lyrics.write()).request.seed == 7
        await lyrics.press("k")
        assert lyrics.field("seed").value == ""

        # x clears the page and keeps the song.
        await lyrics.press("C")
        assert lyrics.text.text == ""
        assert "○ ready" in lyrics.status
        await lyrics.press("comma")
        assert lyrics.text.text.startswith("Why")
        await lyrics.fill(prime="wait")
        await lyrics.press("g")
        await lyrics.until(lambda: lyrics.song.state == "writing")
        await lyrics.press("C")
        assert lyrics.song.state == "stopped"

        # Escape stops at once, and later characters are ignored.
        await lyrics.press("g")
        await lyrics.until(lambda: lyrics.song.state == "writing")
        assert lyrics.text.writing
        await lyrics.until(lambda: "♪ writing" in lyrics.status)
        await lyrics.press("escape")
        assert lyrics.song.state == "stopped"
        assert "■ stopped" in lyrics.status
        assert not lyrics.text.writing
        await lyrics.fill(prime="Why")
        assert (await lyrics.write()).state == "end"
        assert lyrics.screen.session.items[-2].text == ""

        # The temperature can be changed while the song is written.
        turned: list[Mapping[str, float]] = []
        monkeypatch.setattr(lyrics.screen.sampler, "change", turned.append)
        await lyrics.press("right_square_bracket")
        assert not turned  # nothing is being written
        await lyrics.fill(prime="wait")
        await lyrics.press("g")
        await lyrics.until(lambda: lyrics.song.state == "writing")
        await lyrics.press("right_square_bracket")
        await lyrics.until(lambda: turned == [{"temperature": 0.9}])
        await lyrics.fill(temperature="hot")
        await lyrics.press("escape")
        assert len(turned) == 1


@pytest.mark.slow
async def test_enter_in_any_field_writes_with_its_value() -> None:
    asked: dict[str, tuple[str, object]] = {
        "artist": ("ada", "Ada Moor"),
        "prime": ("Snow", "Snow"),
        "temperature": ("inf", math.inf),
        "length": ("40", 40),
    }
    async with page() as lyrics:
        await lyrics.fill(
            top_k="12", top_p=".9", min_p="0.05", seed="99", guidance="2", repetition="0.5",
            memory="0.25", line="24",
        )  # fmt: skip
        for name, (typed, value) in asked.items():
            lyrics.field(name).focus()
            await lyrics.fill(**{name: typed})
            song = await lyrics.write("enter")
            options = song.request.options
            assert (options[name] if name in options else getattr(song.request, name)) == value
            assert song.error == ""
            assert song.seed == 99
            assert song.text == fake.song(99, song.request.length)
            assert lyrics.screen.focused is lyrics.text
        assert lyrics.song.request == SampleLyrics(
            model="first",
            prime="Snow",
            artist="Ada Moor",
            options={
                "temperature": math.inf,
                "top_k": 12,
                "top_p": 0.9,
                "min_p": 0.05,
                "guidance": 2.0,
                "repetition": 0.5,
                "memory": 0.25,
                "line": 24,
            },
            length=40,
            seed=99,
        )


async def test_artists_are_searched_clicked_and_mixed() -> None:
    async with page() as lyrics:
        # An artist is found by a part of the name.
        names = lyrics.screen.query_one(artist_field.ArtistField).query_one(OptionList)
        await lyrics.focus_by("a", "artist")
        await lyrics.until(lambda: names.display)
        assert [option.prompt for option in names.options] == ["no artist", *fake.ARTISTS]
        await lyrics.press(*"MO")
        await lyrics.until(lambda: names.option_count == 2)
        assert [option.prompt for option in names.options] == ["Moor & Daughters", "Ada Moor"]
        await lyrics.press("down")
        song = await lyrics.write("enter")
        assert song.request.artist == "Ada Moor"
        assert lyrics.field("artist").value == "Ada Moor"
        assert not names.display
        await lyrics.focus_by("a", "artist")
        await lyrics.press("delete")  # all of it: a field that is gone to is marked whole
        assert (await lyrics.write("enter")).request.artist is None

        # Leaving the field chooses the highlighted name, and escape does not.
        await lyrics.focus_by("a", "artist")
        await lyrics.press("q", "tab")
        await lyrics.until(lambda: lyrics.field("artist").value == "Quiet Harbour")
        assert lyrics.focused == "temperature"
        await lyrics.focus_by("shift+tab", "artist")
        await lyrics.press("d", "escape")
        assert lyrics.field("artist").value == "Quiet Harbour"

        # An artist can be clicked.
        await lyrics.fill(artist="")
        await lyrics.focus_by("a", "artist")
        await lyrics.until(lambda: names.display and names.size.height == 5)
        await lyrics.pilot.click(names, offset=(2, 2))
        await lyrics.until(lambda: lyrics.field("artist").value == "Ada Moor")
        assert not names.display

        # A mix of artists is typed like a name.
        await lyrics.focus_by("a", "artist")
        await lyrics.fill(artist="Ada Moor=0.7, Quiet Harbour=0.3")
        song = await lyrics.write("enter")
        assert song.request.artist is None
        assert song.request.mix == "Ada Moor=0.7, Quiet Harbour=0.3"
        assert lyrics.field("artist").value == "Ada Moor=0.7, Quiet Harbour=0.3"

        # A model without artists, and without a score.
        await lyrics.press("C")
        await lyrics.fill(artist="Ada Moor", memory="0.5")
        await lyrics.focus_by("m", "model")
        await lyrics.press("enter", "down", "enter")
        await lyrics.until(lambda: lyrics.status == "○ ready · mine")
        assert lyrics.field("artist").disabled
        assert lyrics.field("memory").disabled
        song = await lyrics.write("g")
        assert (song.request.model, song.request.artist) == ("mine", None)
        assert song.request.options["memory"] == 1.0
        assert lyrics.status.endswith("seed 7 · song 4 of 4 · temperature 0.7 · mine")


async def test_ten_thousand_artists_are_searched() -> None:
    async with page(programs=fake_programs("lyrics", "10000")) as lyrics:
        names = lyrics.screen.query_one(artist_field.ArtistField).query_one(OptionList)
        await lyrics.until(lambda: names.option_count == artist_field.MAX_SHOWN + 2)
        assert "9,800 more" in str(names.options[-1].prompt)
        await lyrics.focus_by("a", "artist")
        await lyrics.press(*"7421")
        await lyrics.until(lambda: names.option_count == 1)
        assert (await lyrics.write("enter")).request.artist == "Singer 07421"


@pytest.mark.slow
async def test_refusals_and_the_end_of_the_sampler() -> None:
    async with page() as lyrics:
        # Up and down recall previous prompts.
        for prime in ("One", "Two", "One", "Three"):
            await lyrics.fill(prime=prime)
            await lyrics.press("g")
        await lyrics.focus_by("p", "prime")
        seen = []
        for key in ("up", "up", "up", "down"):
            await lyrics.press(key)
            seen.append(lyrics.field("prime").value)
        assert seen == ["One", "Two", "Two", "One"]
        await lyrics.press("escape")

        # A refusal is shown, and the next song succeeds.
        await lyrics.fill(prime="wrong")
        song = await lyrics.write()
        assert song.state == "failed"
        assert (
            "✗ The prompt has characters that first was not trained on ('w'): remove"
            in lyrics.status
        )
        assert lyrics.screen.query_one("#status").has_class("-failed")
        await lyrics.fill(prime="Why")
        assert (await lyrics.write()).state == "end"
        assert not lyrics.screen.query_one("#status").has_class("-failed")

        # The end of the sampler is shown, and it is restarted.
        before = lyrics.screen.sampler.pid
        await lyrics.fill(prime="die")
        song = await lyrics.write()
        assert (
            "✗ The sampler ended unexpectedly (exit status 1: the bellows burst)" in lyrics.status
        )
        assert song.state == "failed"
        await lyrics.fill(prime="Why")
        assert (await lyrics.write()).state == "end"
        assert lyrics.screen.sampler.pid not in {None, before}

        # So is the end of an idle one.
        song = await lyrics.write()
        pid = lyrics.screen.sampler.pid
        assert pid
        os.kill(pid, 9)
        await lyrics.until(lambda: "✗ The sampler ended unexpectedly" in lyrics.status)
        assert song.state == "end"
        assert (await lyrics.write("G")).text == song.text

        # The process ends with the app.
        pid = lyrics.screen.sampler.pid
        assert pid
        assert psutil.pid_exists(pid)
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(pid).wait(10)
    assert lyrics.screen.sampler.pid is None


async def test_a_song_is_written_saved_and_copied(tmp_path: Path) -> None:
    async with page() as lyrics:
        # A song has the default options, and its prompt is set off.
        song = await lyrics.write("enter")
        whole = fake.song(7, None)
        assert song.request == SampleLyrics("first", "Why")
        assert song.text == whole
        assert lyrics.text.text == "Why" + whole
        assert lyrics.status == "✓ the end · 127 chars · 508/s · seed 7 · temperature 0.7 · first"
        first, rest = list(lyrics.text.render_line(0))[:2]
        assert first.text == "Why"
        assert first.style
        assert rest.style
        assert first.style.bold
        assert first.style.underline
        assert not rest.style.underline

        # A file is replaced only after a second enter.
        await lyrics.fill(artist="Moor & Daughters", prime="Why, oh why?", length="20")
        song = await lyrics.write()
        whole = "Why, oh why?" + song.text + "\n"
        file = tmp_path / "Why-oh-why-Moor-Daughters-7.txt"
        for key, content in (("S", ""), ("ctrl+s", "mine")):
            if content:
                file.write_text(content)
            await lyrics.press(key)
            dialog = await lyrics.in_front(FileDialog)
            assert dialog.query_one(Input).value == file.name
            if content:
                await lyrics.press("enter")
                await lyrics.until(partial(lyrics.dialog_shows, "press enter again"))
                assert file.read_text() == content
            await lyrics.press("enter")
            await lyrics.until(lambda: lyrics.app.screen is lyrics.screen)
            assert file.read_text() == whole
        assert list(tmp_path.glob("*.txt")) == [file]

        # A wrong file name is explained, and escape cancels.
        await lyrics.press("S")
        dialog = await lyrics.in_front(FileDialog)
        for name, sentence in (
            ("", "The file has no name"),
            ("nowhere/song.txt", "There is no folder"),
            (str(tmp_path), "is a folder"),
            ("a\0b", "has control characters"),
            ("n" * 300, "is not a valid file name"),
            ("n" * 250, "Cannot write"),
        ):
            dialog.query_one(Input).value = name
            await lyrics.press("enter")
            await lyrics.until(partial(lyrics.dialog_shows, sentence))
        await lyrics.press("escape")
        await lyrics.until(lambda: lyrics.app.screen is lyrics.screen)
        assert list(tmp_path.glob("*.txt")) == [file]

        # c copies the song unchanged.
        await lyrics.fill(prime="odd", length="")
        await lyrics.write()
        await lyrics.press("c")
        assert lyrics.app.clipboard == "odda\x07b\x1b[31mc [bold]d[/]"
        assert lyrics.text.text == "odda␇b␛[31mc [bold]d[/]"


def marked(lyrics: LyricsPage) -> list[tuple[str, bool]]:
    """The pieces of the first row as drawn: their text, and whether they have a background."""
    plain = lyrics.text.rich_style.bgcolor
    segments = lyrics.text.render_line(0)
    return [(piece.text, bool(piece.style and piece.style.bgcolor != plain)) for piece in segments]


@pytest.mark.slow
async def test_characters_are_shaded_by_surprise_and_copies_highlighted() -> None:
    async with page() as lyrics:
        # Characters are shaded by their surprise.
        await lyrics.fill(prime="", length="30", seed="0")
        await lyrics.press("h")
        assert "more surprising" in lyrics.status
        song = await lyrics.write()
        assert (song.request.bits, song.request.alternatives) == (True, 5)
        assert [character.bits for character in song.characters] == [
            float(n % 9) for n in range(30)
        ]
        pieces = marked(lyrics)
        assert pieces[0] == (song.text[0], False)  # no bits
        assert pieces[1][1]
        assert "".join(text for text, _ in pieces).startswith(song.text[:20])
        await lyrics.press("left")
        shown = song.text[-1].replace(" ", "␣")
        words = f"{shown} 2.0 bits; most probable: e 50 % · the end 25 %"
        await lyrics.until(lambda: words in lyrics.status)
        await lyrics.press("left", "left", "right")
        await lyrics.until(lambda: "1.0 bits" in lyrics.status)
        await lyrics.press("h", "h")
        await lyrics.until(lambda: "bits;" not in lyrics.status)
        assert not any(shaded for _, shaded in marked(lyrics))
        await lyrics.until(lambda: "character 29 of 30" in lyrics.status)

        # Copied text is highlighted with its source.
        await lyrics.fill(prime="", length="30", seed="0")
        await lyrics.press("h", "h")
        song = await lyrics.write()
        assert song.request.novelty == 20
        pieces = marked(lyrics)
        assert pieces[0] == (song.text[:25], True)
        assert not any(shaded for _, shaded in pieces[1:])
        assert "50 % copied, at most 25 characters in a row" in lyrics.status
        await lyrics.press("left")
        await lyrics.until(lambda: "no copied stretch ends here" in lyrics.status)
        await lyrics.press(*["left"] * 6)
        await lyrics.until(lambda: "24 characters copied from Ada Moor – Kettle" in lyrics.status)


@pytest.mark.slow
async def test_sixty_thousand_characters_stream_and_the_view_follows() -> None:
    async with page() as lyrics:
        # Keys are answered while the characters stream.
        await lyrics.fill(length="60000")
        await lyrics.press("g")
        answered = 0
        while lyrics.song.active or not answered:  # a busy machine may have all of it by now
            before = lyrics.field("temperature").value
            key = "right_square_bracket" if answered % 2 else "left_square_bracket"
            await lyrics.press(key)
            assert lyrics.field("temperature").value != before
            answered += 1
        assert answered
        assert lyrics.song.text == fake.song(7, 60000)
        assert lyrics.text.text == "Why" + lyrics.song.text
        await lyrics.until(lambda: lyrics.text.is_vertical_scroll_end)
        assert lyrics.status.startswith("✓ full length · 60,000 chars · 240,000/s")

        # The view follows the end until it is scrolled away.
        text = lyrics.text
        text.writing = True
        text.show_text("Why", "\n".join(map(str, range(100))))
        await lyrics.until(lambda: text.is_vertical_scroll_end and text.show_vertical_scrollbar)
        assert text.vertical_scrollbar.position == text.max_scroll_y
        await lyrics.press("up")
        await lyrics.until(lambda: not text.is_vertical_scroll_end)
        place = text.scroll_y
        text.append("\nmore" * 10)
        await lyrics.pilot.pause()
        assert text.scroll_y == place
        await lyrics.press("end")
        await lyrics.until(lambda: text.is_vertical_scroll_end)
        text.append("\nmore" * 10)
        await lyrics.until(lambda: text.is_vertical_scroll_end)
        text.writing = False
        await lyrics.pilot.resize_terminal(40, 12)
        await lyrics.until(lambda: text.size.height < 12 and text.is_vertical_scroll_end)


@pytest.mark.slow
async def test_a_key_makes_its_field_visible_on_a_small_screen() -> None:
    async with page((40, 12)) as lyrics:
        for key, name in (("p", "prime"), ("a", "artist"), ("t", "temperature"), ("m", "model")):
            await lyrics.focus_by(key, name)
            field = lyrics.screen.query_one(f"#{name}")
            await lyrics.until(partial(lyrics.is_visible, field))
            await lyrics.press("escape")
            assert lyrics.screen.focused is lyrics.text


@pytest.mark.slow
async def test_the_first_fields_are_in_view_and_the_others_scroll() -> None:
    first = ["prime", "artist", "temperature", "count", "more"]
    async with page() as lyrics:
        form = lyrics.screen.form
        last, problem = lyrics.field([*form.fields][-1]), form.query_one("#problem")

        def both_in_view() -> bool:
            shown = lyrics.is_visible(last) and lyrics.is_visible(problem)
            return shown and last.region.bottom <= problem.region.y

        for size in ((80, 24), (120, 40)):
            await lyrics.pilot.resize_terminal(*size)
            lyrics.field("prime").focus()
            for name in first:
                await lyrics.until(partial(lyrics.is_visible, lyrics.screen.query_one(f"#{name}")))
            form.show_more(True)
            await lyrics.pilot.pause()
            last.focus()
            await lyrics.press("C")
            await lyrics.until(both_in_view)
            lyrics.field("prime").focus()
            await lyrics.until(partial(lyrics.is_visible, lyrics.field("prime")))
            last.focus()
            await lyrics.until(both_in_view)
            last.value = ""
            form.show_more(False)


def test_every_key_has_an_id_a_name_and_a_tooltip() -> None:
    classes = [
        LyricsScreen,
        FileDialog,
        fields.Field,
        fields.PrimeField,
        fields.StepField,
        fields.ChoiceField,
        artist_field.ArtistInput,
        LyricsText,
        SongTile,
        LyricsEditor,
    ]
    bindings = [binding for cls in classes for binding in cls.__dict__["BINDINGS"]]
    assert all(isinstance(binding, Binding) for binding in bindings)
    assert all(binding.id and binding.tooltip and binding.description for binding in bindings)
    assert len({binding.id for binding in bindings}) == len(bindings)


@pytest.mark.slow
async def test_with_the_real_commands_and_the_real_sampler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).parents[3])
    config = configs.ModelConfig(kind="markov", order=3)
    codec = CharacterCodec("\n Wabcdehimnoprstuwy")
    songs = [np.append(codec.encode(f"Why {fake.VERSE}"), END)]
    run = run_dir.create("small", configs.RunConfig(model=config), {})
    meta = {
        "format": 2,
        "kind": "lyrics",
        "model": dataclasses.asdict(config),
        "codec": codec.to_json(),
        "conditions": [],
        "step": 1,
        "scores": {"valid": {"loss": 1.0, "bits": 1.443}},
    }
    best = run.checkpoints / "best"
    best.mkdir()
    tensors = ngram.fit(songs, codec.spec.size, config).tensors()
    save_file(tensors, best / "model.safetensors")
    (best / "meta.json").write_text(json.dumps(meta))
    async with page(programs=INSTALLED) as lyrics:  # with the models included
        lyrics.select("model").value = "run/small"
        await lyrics.until(lambda: "○ ready · small · 1.44 bits/char" in lyrics.status)
        await lyrics.fill(seed="3", length="300", raw="on")
        song = await lyrics.write()
        assert (song.state, song.seed, len(song.text)) == ("length", 3, 300)
        assert (await lyrics.write("G")).text == song.text
        await lyrics.fill(length="60", count="3")
        await lyrics.write()
        three = lyrics.screen.session.items[-3:]
        assert [(one.seed, len(one.text)) for one in three] == [(3, 60), (4, 60), (5, 60)]
        assert three[0].text == song.text[:60]
        assert all(one.bits for one in three)
        await lyrics.until(lambda: any(tile.has_class("-best") for tile in lyrics.tiles))
        (likeliest,) = (tile.song for tile in lyrics.tiles if tile.has_class("-best"))
        assert likeliest is min(three, key=lambda one: one.bits or 0.0)
        await lyrics.press("enter", "w")
        await lyrics.until(lambda: len(lyrics.screen.session.items) == 8 and not lyrics.song.active)
        assert lyrics.song.request.prime == three[0].whole
        await lyrics.fill(prime="Q", length="", count="")
        await lyrics.write()
        assert "✗ The prompt has characters that small was not trained on ('Q')" in lyrics.status


async def test_models_found_while_the_page_is_being_closed_are_left_alone() -> None:
    async with page() as lyrics:
        await lyrics.screen.form.models.query_one(SelectOverlay).remove()
        await lyrics.screen.action_reload().wait()
