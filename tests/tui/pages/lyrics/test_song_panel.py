"""Editing and continuing a song on the Lyrics page, with a fake sampler."""

import dataclasses

import pytest

from tests.tui import fake_worker as fake
from tests.tui.lyrics_page import LyricsPage, page
from tui.pages.lyrics.song_panel import LyricsEditor


def editor(lyrics: LyricsPage) -> LyricsEditor:
    return lyrics.screen.query_one(LyricsEditor)


async def edit(lyrics: LyricsPage) -> LyricsEditor:
    await lyrics.press("e")
    await lyrics.until(lambda: editor(lyrics).has_focus)
    return editor(lyrics)


async def test_a_song_is_edited_cut_and_continued() -> None:
    async with page() as lyrics:
        # Escape discards the changes.
        await lyrics.press("e", "w")
        assert not lyrics.screen.session.items
        song = await lyrics.write()
        await edit(lyrics)
        await lyrics.press("C", "escape")
        await lyrics.until(lambda: lyrics.screen.focused is lyrics.text)
        assert lyrics.text.text == song.whole
        assert "✓ the end" in lyrics.status
        assert len(lyrics.screen.session.items) == 1
        assert (await edit(lyrics)).text == song.whole

        # A song is edited, cut and continued.
        await lyrics.press("escape")
        await lyrics.fill(artist="Ada Moor", temperature="0.9", seed="0")
        song = await lyrics.write()
        field = await edit(lyrics)
        assert field.text == song.whole
        assert field.cursor_location == field.document.end
        assert "ctrl+g" in lyrics.status
        await lyrics.press("up", "up", "home", "ctrl+t")
        assert field.text == "Why" + fake.VERSE
        await lyrics.press("ctrl+z")
        assert field.text == song.whole
        await lyrics.press("ctrl+y", *"ok g", "enter")
        assert field.text == "Why" + fake.VERSE + "ok g\n"
        lyrics.field("seed").value = ""
        after = await lyrics.write("ctrl+g")
        assert after.request.prime == "Why" + fake.VERSE + "ok g\n"
        assert (after.request.artist, after.request.options["temperature"]) == ("Ada Moor", 0.9)
        assert lyrics.screen.focused is lyrics.text
        assert lyrics.text.text == after.whole == after.request.prime + after.text
        first = next(iter(lyrics.text.render_line(0)))
        assert first.text.startswith("Whythe kettle")
        assert first.style
        assert first.style.underline
        assert song.whole == "Why" + song.text
        again = await lyrics.write("G")
        assert again.request == dataclasses.replace(after.request, seed=after.seed)
        assert (await lyrics.write("g")).request.prime == "Why"

        # An active song can be edited, and is updated behind the editor.
        await lyrics.fill(prime="wait")
        await lyrics.press("g")
        await lyrics.until(lambda: lyrics.song.state == "writing")
        await edit(lyrics)
        lyrics.screen.sampler.stop()
        await lyrics.until(lambda: lyrics.song.state == "stopped")
        await lyrics.press("escape")
        assert not lyrics.text.writing

        # Control characters are replaced in the editor.
        await lyrics.fill(prime="odd")
        await lyrics.write()
        assert (await edit(lyrics)).text == "odda␇b␛[31mc [bold]d[/]"

        # Fields can be changed while a song is edited.
        await lyrics.press("escape")
        await lyrics.fill(prime="Why", artist="", temperature="0.7")
        await lyrics.write()
        field = await edit(lyrics)
        await lyrics.press("pageup", "home", *"Oh ")
        text = field.text
        lyrics.field("length").focus()
        await lyrics.fill(length="many")
        lyrics.screen.action_generate()
        assert field.text == text
        assert field.display
        await lyrics.fill(length="12")
        await lyrics.press("escape")
        assert field.has_focus
        lyrics.field("length").focus()
        song = await lyrics.write("enter")
        assert (song.request.prime, len(song.text)) == (text, 12)
        await edit(lyrics)
        await lyrics.press("o", "k")
        again = await lyrics.write("shift+enter")
        assert (again.request.prime, again.request.seed) == (song.whole + "ok", song.seed)


@pytest.mark.slow
async def test_a_character_is_selected_by_keys_and_clicks() -> None:
    async with page() as lyrics:
        # w rewrites from the selected character.
        await lyrics.fill(seed="0", length="40")
        song = await lyrics.write()
        await lyrics.press("left", "left", "left")
        await lyrics.until(lambda: "character 38 of 40 · w: rewrite from here" in lyrics.status)
        assert (await edit(lyrics)).cursor_location == (1, 2)
        await lyrics.press("escape")
        after = await lyrics.write("w")
        assert after.request.prime == "Why" + song.text[:37]
        assert lyrics.text.selected is None
        whole = await lyrics.write("w")
        assert whole.request.prime == after.whole

        # A click selects a character, also of one of several songs.
        await lyrics.fill(seed="0", length="200")
        song = await lyrics.write()
        await lyrics.pilot.click(lyrics.text, offset=(2, 0))  # in the prime
        assert lyrics.text.selected is None
        await lyrics.pilot.click(lyrics.text, offset=(7, 0))
        await lyrics.until(lambda: "character 5 of 200" in lyrics.status)
        await lyrics.press("end")
        await lyrics.press("left")
        await lyrics.fill(count="4")
        await lyrics.write("w")
        assert {one.request.prime for one in lyrics.screen.session.items[-4:]} == {
            "Why" + song.text[:3]
        }
        await lyrics.pilot.click(lyrics.tiles[1], offset=(4, 1))
        await lyrics.until(lambda: lyrics.screen.shown is lyrics.screen.session.items[-3])
        await lyrics.press("pagedown")
        await edit(lyrics)
        await lyrics.press("escape")
        await lyrics.until(lambda: lyrics.screen.focused is lyrics.tiles[1])


async def test_a_selected_character_is_scrolled_into_view() -> None:
    async with page((40, 12)) as lyrics:
        await lyrics.fill(length="800")
        await lyrics.write()
        await lyrics.press("left")
        await lyrics.until(lambda: lyrics.text.is_vertical_scroll_end)
        await lyrics.pilot.pause()
        lyrics.text.select(0)
        await lyrics.until(lambda: lyrics.text.scroll_y == 0)
