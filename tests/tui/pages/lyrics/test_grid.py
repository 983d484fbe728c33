"""Songs side by side on the Lyrics page, with a fake sampler."""

import pytest

from tests.tui import fake_worker as fake
from tests.tui.lyrics_page import page
from tui.pages.lyrics.grid import BEST, columns_of


@pytest.mark.parametrize(
    ("count", "width", "columns"),
    [(1, 200, 1), (2, 80, 2), (4, 80, 2), (9, 80, 3), (9, 72, 3), (9, 71, 2), (16, 80, 3),
     (16, 96, 4), (9, 40, 1), (4, 3, 1)],
)  # fmt: skip
def test_columns(count: int, width: int, columns: int) -> None:
    assert columns_of(count, width) == columns


@pytest.mark.slow
async def test_arrows_tab_and_clicks_move_between_songs() -> None:
    async with page() as lyrics:
        await lyrics.fill(count="9", seed="10")
        await lyrics.write()
        place = 0
        for key, steps in (
            ("right", 1), ("down", 3), ("left", -1), ("up", -3), ("up", 0), ("left", 0),
            ("tab", 1), ("shift+tab", -1), ("down", 3), ("down", 3), ("down", 0),
        ):  # fmt: skip
            place += steps
            await lyrics.press(key)
            await lyrics.until(lambda: lyrics.screen.focused is lyrics.tiles[place])  # noqa: B023
            await lyrics.until(lambda: lyrics.screen.shown is lyrics.screen.session.items[place])  # noqa: B023
        await lyrics.pilot.click(lyrics.tiles[4], offset=(5, 2))
        await lyrics.until(lambda: lyrics.screen.shown is lyrics.screen.session.items[4])
        assert "seed 14 · song 5 of 9" in lyrics.status
        await lyrics.press("c")
        assert lyrics.app.clipboard == "Why" + fake.song(14, None)


async def test_songs_side_by_side() -> None:
    async with page() as lyrics:
        # Enter chooses a song, and b shows all again.
        await lyrics.press("b")  # there is nothing to show
        assert not lyrics.tiles
        await lyrics.fill(count="4", seed="20")
        await lyrics.write()
        await lyrics.press("right", "enter")
        await lyrics.until(lambda: lyrics.screen.focused is lyrics.text)
        assert lyrics.screen.shown is lyrics.screen.session.items[1]
        assert lyrics.text.text == "Why" + fake.song(21, None)
        assert not lyrics.screen.has_class("-grid")
        assert "song 2 of 4" in lyrics.status
        await lyrics.press("comma")
        assert lyrics.text.text == "Why" + fake.song(20, None)
        await lyrics.press("full_stop", "full_stop", "b")
        await lyrics.until(lambda: lyrics.screen.focused is lyrics.tiles[2])
        await lyrics.press("b")
        await lyrics.until(lambda: lyrics.screen.focused is lyrics.text)
        assert lyrics.screen.shown is lyrics.screen.session.items[2]
        await lyrics.fill(count="")
        song = await lyrics.write()
        assert (song.request.count, lyrics.text.text) == (1, song.whole)

        # One request writes songs side by side.
        await lyrics.fill(count="4", seed="3")
        await lyrics.write()
        written = lyrics.screen.session.items[-4:]
        await lyrics.until(lambda: not any(tile.writing for tile in lyrics.tiles))
        assert [song.seed for song in written] == [3, 4, 5, 6]
        assert len({song.id for song in written}) == 1
        assert lyrics.song.request.count == 4
        assert len(lyrics.tiles) == 4
        for number, tile in enumerate(lyrics.tiles):
            text = fake.song(3 + number, None)
            assert written[number].text == text
            assert tile.text == "Why" + text
            assert not tile.writing
            assert str(tile.border_title) == f"✓ {number + 1} · seed {3 + number}"
            bits = f"{fake.bits(number):.2f} bits/char"
            assert str(tile.border_subtitle) == (f"{bits} {BEST}" if number == 2 else bits)
            assert lyrics.is_visible(tile)
        assert lyrics.screen.focused is lyrics.tiles[0]

        # Songs being written show their state, and no bits yet.
        await lyrics.fill(count="2", seed="", prime="wait", length="10")
        await lyrics.press("g")
        await lyrics.until(lambda: lyrics.song.state == "writing")
        assert all(tile.writing for tile in lyrics.tiles)
        assert [str(tile.border_title) for tile in lyrics.tiles] == ["♪ 1 · seed 7", "♪ 2 · seed 8"]
        assert not any(str(tile.border_subtitle) for tile in lyrics.tiles)
        await lyrics.press("escape")
        assert [song.state for song in lyrics.screen.session.items[-2:]] == ["stopped"] * 2
        assert not any(tile.writing for tile in lyrics.tiles)
        assert str(lyrics.tiles[1].border_title) == "■ 2 · seed 8"

        # Fewer songs after more, and a refusal.
        await lyrics.fill(count="9", prime="Why")
        await lyrics.write()
        await lyrics.fill(count="2", prime="wrong")
        await lyrics.write()
        assert [tile.text for tile in lyrics.tiles] == ["wrong", "wrong"]
        assert (
            "✗ The prompt has characters that first was not trained on ('w'): remove"
            in lyrics.status
        )
        await lyrics.fill(prime="die")
        await lyrics.write()
        assert [song.state for song in lyrics.screen.session.items[-2:]] == ["failed", "failed"]

        # Tiles are shaded, too.
        await lyrics.fill(count="2", prime="", length="60")
        await lyrics.write()
        await lyrics.until(lambda: not lyrics.tiles[0].render_line(1).text.isspace())  # in turn
        plain = lyrics.tiles[0].render_line(1).text
        assert not lyrics.tiles[0].levels
        await lyrics.press("h")
        await lyrics.until(lambda: all(tile.levels for tile in lyrics.tiles))
        steps = (1, 2.5, 4.5, 7)
        assert lyrics.tiles[1].levels == [sum(n % 9 >= s for s in steps) for n in range(60)]
        assert lyrics.tiles[0].render_line(1).text == plain


@pytest.mark.slow
async def test_on_a_small_screen_the_panel_hides_and_the_grid_scrolls() -> None:
    async with page((40, 12)) as lyrics:
        await lyrics.fill(count="4")
        await lyrics.write()
        assert not lyrics.is_visible(lyrics.tiles[3])
        await lyrics.press("down", "down", "down")
        await lyrics.until(lambda: lyrics.is_visible(lyrics.tiles[3]))
        await lyrics.pilot.resize_terminal(80, 24)
        await lyrics.until(lambda: lyrics.tiles[1].region.x == 40)
        await lyrics.focus_by("t", "temperature")
        await lyrics.until(lambda: lyrics.is_visible(lyrics.field("temperature")))
        await lyrics.press("escape")
        await lyrics.until(lambda: not lyrics.is_visible(lyrics.field("temperature")))
        assert lyrics.screen.focused is lyrics.tiles[3]
