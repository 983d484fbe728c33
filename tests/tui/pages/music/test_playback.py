"""Playback on the Music page: a piece's own settings, the loop in the roll, colors and legend."""

from functools import partial
from pathlib import Path

import pytest

from engine.music import midi
from engine.music.pitch import pitch_name
from tests.tui.music_page import MusicPage, page
from tests.tui.page import drawn
from tui.pages.music.piano_roll import BOTTOM, TOP, PianoRoll
from tui.pages.music.roll_colors import LEFT
from tui.pages.music.screen import MusicScreen

SIZES = [(40, 12), (80, 24), (120, 40), (200, 60)]


def written(music: MusicPage) -> list[tuple[float, int]]:
    return sorted((note.start, note.pitch) for note in music.piece.roll.notes)


def saved(name: str) -> list[tuple[float, int]]:
    return sorted((round(note.start, 3), note.pitch) for note in midi.read(Path(name)).notes)


async def save(music: MusicPage, name: str) -> None:
    await music.save(name)
    await music.in_front(MusicScreen)


async def test_tempo_and_transposition_belong_to_a_piece_and_are_saved_once() -> None:
    async with page((120, 40)) as music:
        await music.fill(length="16")
        first = await music.write()
        as_written = written(music)
        high = max(pitch for _, pitch in as_written)
        await music.fill(tempo="2", transpose="14", velocity="1.5")
        await music.until(lambda: music.roll.up_to_date and "+14 st" in music.transport)
        assert "0:00 / 0:02" in music.transport  # of four seconds as written
        await music.press("end")
        await music.until(lambda: music.roll.moment == 4.0)
        await music.press("left")
        await music.until(lambda: music.roll.moment == 3.5 and music.roll.up_to_date)
        lit = {pitch for pitch in range(128) if pitch in music.roll._lit}
        at_playhead = {note.pitch + 14 for note in first.roll.between(3.5, 3.5001)}
        assert lit == at_playhead
        names = [line[: LEFT - 3].strip() for line in music.lines]
        assert {pitch_name(pitch) for pitch in at_playhead} <= set(names)
        assert music.roll.viewport.high >= high + 12
        await save(music, "once.mid")
        assert saved("once.mid") == [(start / 2, pitch + 14) for start, pitch in as_written]

        # The file has both, and is shown, played and saved without a change.
        await music.open("once.mid")
        assert "st" not in music.transport.split(" · ")
        assert [music.field(name).value for name in ("tempo", "transpose", "velocity")] == [""] * 3
        assert music.roll._roll is not None
        assert (music.roll._roll.transpose, music.roll._roll.speed) == (0, 1.0)
        await save(music, "twice.mid")
        assert saved("twice.mid") == saved("once.mid")
        loud = {note.velocity for note in midi.read(Path("once.mid")).notes}
        assert loud == {note.velocity for note in midi.read(Path("twice.mid")).notes} == {120}

        # The first piece keeps its settings; a new one is played as written.
        await music.press("comma")
        assert music.screen.shown is first
        await music.until(lambda: "+14 st" in music.transport)
        assert [music.field(name).value for name in ("tempo", "transpose")] == ["2", "14"]
        await music.write()
        assert "+14 st" not in music.transport
        await music.press("space")
        await music.until(lambda: music.struck)
        assert music.struck[0] in {pitch for _, pitch in as_written}
        kept = music.screen.form.state()["fields"]
        assert not {"tempo", "transpose", "velocity"} & kept.keys()


def column(music: MusicPage, seconds: float) -> int:
    """Return the column of the roll at a moment."""
    return LEFT + music.roll.viewport.column(seconds) - music.roll.viewport.start


async def drag(music: MusicPage, start: float, end: float) -> None:
    """Drag the mouse over the ruler from one moment to another."""
    await music.pilot.mouse_down(PianoRoll, offset=(column(music, start), 0))
    await music.pilot.hover(PianoRoll, offset=(column(music, end), 0))
    await music.pilot.mouse_up(PianoRoll, offset=(column(music, end), 0))


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_a_loop_is_drawn_and_set_by_keys_and_mouse(size: tuple[int, int]) -> None:
    async with page(size) as music:
        await music.write()
        bar = 2.0  # seconds

        # Dragging over the ruler loops whole bars, and does not move the playhead otherwise.
        await drag(music, 0.6, 2.6)
        await music.until(lambda: "loop bars 1–2" in music.transport)
        assert music.roll.moment == 0
        await drag(music, 1.2, 0.6)
        await music.until(lambda: "loop bar 1" in music.transport and music.roll.up_to_date)
        assert music.roll._raster is not None
        assert music.roll._raster.loop == range(column(music, bar) - LEFT)
        ruler = music.roll.render_line(0)
        styles = [segment.style.bgcolor for segment in ruler for _ in segment.text if segment.style]
        inside, outside = column(music, 1.0), column(music, bar)
        assert styles[inside] != styles[LEFT - 1]
        assert styles[inside] == styles[outside - 1]
        assert styles[outside] == styles[LEFT - 1]

        # A click moves the playhead only.
        await music.pilot.click(PianoRoll, offset=(column(music, 1.5), 0))
        await music.until(lambda: music.roll.moment == 1.5)
        assert "loop bar 1" in music.transport

        # It is played again and again.
        await music.fill(tempo="10")
        await music.press("space")
        await music.until(lambda: len(music.struck) > 30)
        await music.press("space")
        await music.until(lambda: not music.stage.playing and not music.down)
        assert music.roll.moment <= bar

        # A click on the words ends the loop; keys set its ends at the bar of the playhead.
        words = music.transport.index("loop")
        await music.pilot.click("#transport", offset=(words + 2, 0))
        await music.until(lambda: "loop" not in music.transport)
        await music.press("home", "shift+right")
        await music.until(lambda: music.roll.moment == bar)
        await music.press("a")
        await music.until(lambda: "loop bars 2–25" in music.transport)
        await music.press("shift+right")
        await music.until(lambda: music.roll.moment == 2 * bar)
        await music.press("b")
        await music.until(lambda: "loop bars 2–3" in music.transport)
        await music.press("home")
        await music.until(lambda: music.roll.moment == 0)
        await music.press("b")
        await music.until(lambda: "loop bar 1" in music.transport and "bars" not in music.transport)

        # Another piece has no part of this one's loop.
        await music.write()
        assert "loop" not in music.transport


def cell_colors(roll: PianoRoll) -> set[object]:
    """Return the colors of the roll's first cells, right of the playhead."""
    strips = [roll.render_line(y) for y in range(TOP, roll.size.height - BOTTOM)]
    cells = [
        segment.style
        for strip in strips
        for segment in strip.crop(LEFT + 1, LEFT + 20)
        if segment.style
    ]
    return {style.color for style in cells} | {style.bgcolor for style in cells}


def differs(roll: PianoRoll, colors: set[object]) -> bool:
    return cell_colors(roll) != colors


async def test_notes_are_colored_by_voice_or_velocity_with_a_legend() -> None:
    async with page((40, 12)) as music:
        for theme in ("textual-dark", "ansi-dark"):
            music.app.theme = theme
            await music.fill(length="16")
            await music.write()
            assert music.text_of("#legend") == "■ right hand ■ left hand  ♩"
            by_voice = cell_colors(music.roll)
            await music.pilot.click("#legend", offset=(2, 0))
            await music.until(lambda: music.roll.up_to_date)
            assert music.text_of("#legend") == "velocity ■ –32 ■ –64 ■ –96 ■ –127  ♩"
            await music.until(partial(differs, music.roll, by_voice))
            await music.press("c")
            await music.until(lambda: music.roll.up_to_date)
            assert cell_colors(music.roll) == by_voice
            assert music.text_of("#legend") == "■ right hand ■ left hand  ♩"
        assert len(drawn(music.screen.query_one("#legend"))) == 1
        await music.press("c")
        assert music.screen.kept_state()[""] == {"colors": "velocity"}


@pytest.mark.parametrize("size", [SIZES[0], SIZES[2]], ids=str)
async def test_the_metronome_is_switched_by_key_and_mouse(size: tuple[int, int]) -> None:
    async with page(size) as music:
        await music.fill(length="64")
        await music.write()
        await music.press("M")
        await music.until(lambda: "metronome" in music.transport)
        assert music.field("metronome").value == "on"
        await music.fill(tempo="8")
        await music.press("space")
        await music.until(lambda: len(clicks(music)) > 8)
        assert clicks(music)[:5] == [76, 77, 77, 77, 76]  # 4/4
        await music.press("s")
        await music.until(lambda: not music.stage.playing)
        mark = music.text_of("#legend").index("♩")
        await music.pilot.click("#legend", offset=(mark + 1, 0))
        await music.until(lambda: "metronome" not in music.transport)
        assert music.field("metronome").value == "off"
        music.clear_tape()
        await music.press("space")
        await music.until(lambda: len(music.struck) > 8)
        assert clicks(music) == []

        # It is kept over restarts, and not written into files.
        await music.press("M")
        assert music.screen.kept_state()["fields"]["metronome"] == "on"
        assert len(music.piece.score.notes) == len(music.piece.roll.notes)


def clicks(music: MusicPage) -> list[int]:
    """Return the keys of the percussion channel that were struck."""
    return [int(words[2:4], 16) for words in music.tape if words[:2] == "99"]
