"""Pieces that are kept over restarts: listed, found, starred, reopened and exported."""

import wave
from pathlib import Path

from engine import paths
from engine.music import midi, musicxml
from tests.tui.music_page import page
from tui.pages.music.screen import MusicScreen
from tui.sources.history import History
from tui.widgets.file_dialog import FileDialog
from tui.widgets.history_dialog import HistoryDialog


async def test_pieces_are_kept_over_restarts_with_their_settings() -> None:
    history = History(paths.history())
    async with page((120, 40)) as music:
        await music.fill(length="16", seed="3", temperature="0.9", begins="C4 E4")
        first = await music.write()
        (kept,) = history.find("music")
        assert kept.title == "folk · C major · 3 bars · seed 3"
        assert "prompt C4 E4" in kept.text
        await music.fill(transpose="-2", tempo="1.5")
        await music.until(lambda: "-2 st" in music.transport)
        await music.fill(begins="wrong.mid")
        await music.write()  # refused: there is nothing to keep
        await music.fill(begins="wait.mid", seed="5")
        await music.press("g")
        await music.until(lambda: music.piece.frames == 8)
        await music.press("q")
        await music.until(lambda: not music.app.is_running)
        notes = first.roll.notes
    assert [work.result["frames"] for work in history.find("music")] == [8, 16]
    assert history.find("music", "seed 3")[0].result["playback"]["transpose"] == -2

    async with page((120, 40)) as music:
        await music.fill(temperature="0.2", begins="")
        assert music.keys["y"] == "History"
        await music.press("y")
        dialog = await music.in_front(HistoryDialog)
        await music.until(lambda: len(dialog.works) == 2)
        heading = str(dialog.query_one("#heading").visual)  # type: ignore[attr-defined]
        assert heading == "History: 2 pieces"

        # Found by text, by keys and mouse, and starred.
        await music.press("slash", *"e4")
        await music.until(lambda: len(dialog.works) == 1)
        await music.press("enter", "f")
        await music.until(lambda: dialog.works[0].starred)
        preview = str(dialog.query_one("#preview Static").visual)  # type: ignore[attr-defined]
        assert "4/4, 120 beats per minute" in preview
        assert "▀" in preview

        # Exported as played, in each format.
        for name in ("a.mid", "a.musicxml", "a.wav", "a.png"):
            await music.press("E")
            file = await music.in_front(FileDialog)
            file.query_one("#file").value = name  # type: ignore[attr-defined]
            await music.press("enter")
            await music.in_front(HistoryDialog)
        played = sorted((round(n.start, 3), n.pitch) for n in midi.read(Path("a.mid")).notes)
        assert played == sorted((round(n.start / 1.5, 3), n.pitch - 2) for n in notes)
        assert len(musicxml.read(Path("a.musicxml")).notes) == len(notes)
        with wave.open("a.wav") as sound:
            assert sound.getnframes() > 0
        assert Path("a.png").read_bytes().startswith(b"\x89PNG")

        # Reopened with its fields and its settings of playback.
        await music.press("enter")
        await music.until(lambda: music.app.screen is music.screen)
        assert music.piece.roll.notes == notes
        values = {"temperature": "0.9", "begins": "C4 E4", "seed": "3", "length": "16",
                  "transpose": "-2", "tempo": "1.5"}  # fmt: skip
        assert {name: music.field(name).value for name in values} == values
        assert "-2 st" in music.transport
        await music.press("space")
        await music.until(lambda: music.struck)
        assert music.struck[0] + 2 in {note.pitch for note in notes}
    assert len(history.find("music")) == 2  # it is not kept twice
    assert history.find("lyrics") == []


async def test_a_piece_of_another_version_is_refused_in_a_sentence() -> None:
    history = History(paths.history())
    history.add("music", "old · C major", "an old piece", {"do": "sample_music"}, {"notes": 3})
    async with page((40, 12)) as music:
        await music.press("y")
        dialog = await music.in_front(HistoryDialog)
        await music.until(lambda: len(dialog.works) == 1)
        await music.pilot.click("#works", offset=(3, 0))
        await music.in_front(MusicScreen)
        await music.until_notified("kept by another version")
        assert music.screen.session.items == []
