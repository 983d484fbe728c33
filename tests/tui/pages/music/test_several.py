"""Several pieces at once: stepped among, the most probable named, or the best alone kept."""

from engine import paths
from tests.tui.music_page import page
from tui.sources.history import History


async def test_several_pieces_are_written_and_stepped_among_or_the_best_is_kept() -> None:
    async with page((120, 40)) as music:
        await music.fill(count="4", length="8", seed="3")
        await music.press("g")
        await music.until(lambda: len(music.screen.session.items) == 4)
        pieces = music.screen.session.items
        await music.until(lambda: not any(piece.active for piece in pieces))
        assert [piece.seed for piece in pieces] == [3, 4, 5, 6]
        assert {piece.frames for piece in pieces} == {8}
        assert len({piece.roll.notes for piece in pieces}) == 4
        assert music.screen.shown is pieces[0]
        assert "piece 1 of 4" in music.status
        assert "most probable" not in music.status
        await music.press("full_stop", "full_stop")
        assert music.screen.shown is pieces[2]
        await music.until(lambda: "★ most probable" in music.status)  # as in the fake worker
        assert len(History(paths.history()).find("music")) == 4

        # Wrong together; then the best of several, which alone is shown.
        await music.fill(best="3")
        await music.press("g")
        await music.until_notified("Count and Best exclude each other")
        assert len(music.screen.session.items) == 4
        await music.fill(count="", melody="C4 D4")
        await music.press("g")
        await music.until_notified("A melody is harmonized once")
        await music.fill(melody="")
        best = await music.write()
        assert (best.seed, len(music.screen.session.items)) == (5, 5)
        assert music.screen.shown is best


async def test_escape_stops_all_pieces_and_the_signs_change_their_number() -> None:
    async with page((120, 40)) as music:
        music.field("count").scroll_visible(animate=False)
        sign = music.signs("count")[1]
        await music.until(lambda: music.is_visible(sign))
        await music.pilot.click(sign, offset=(1, 0))
        await music.until(lambda: music.field("count").value == "2")
        await music.fill(begins="wait.mid")
        await music.press("g")
        await music.until(lambda: len(music.screen.session.items) == 2)
        first, second = music.screen.session.items
        await music.until(lambda: first.frames == 8)
        await music.press("escape")
        assert (first.state, second.state, second.frames) == ("stopped", "stopped", 0)
        await music.until(lambda: len(History(paths.history()).find("music")) == 1)
