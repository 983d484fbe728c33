"""Songs that are kept over restarts: listed, found, starred, reopened and exported."""

import json
from pathlib import Path

from textual.widgets._footer import FooterKey

from engine import paths
from tests.tui import fake_worker as fake
from tests.tui.lyrics_page import page
from tui.sources.history import History
from tui.widgets.file_dialog import FileDialog
from tui.widgets.help import HelpScreen
from tui.widgets.history_dialog import HistoryDialog


async def test_songs_views_and_fields_are_kept_over_restarts(tmp_path: Path) -> None:
    history = History(paths.history())
    async with page() as lyrics:
        await lyrics.fill(temperature="0.9", rhyme="aabb", seed="3", artist="Ada Moor")
        await lyrics.write()
        await lyrics.fill(prime="wrong")
        await lyrics.write()  # refused: it has no text to keep
        await lyrics.press("h")
        await lyrics.fill(prime="wait", length="30")
        await lyrics.press("g")
        await lyrics.until(lambda: lyrics.song.state == "writing")
        await lyrics.press("escape")
        await lyrics.fill(prime="Snow", count="2", seed="5", length="")
        await lyrics.write()
        assert [work.text for work in history.find("lyrics")] == [
            "Snow" + fake.song(6, None), "Snow" + fake.song(5, None), "Why" + fake.song(3, None),
        ]  # fmt: skip
        await lyrics.press("q")
    kept = paths.settings().read_text()
    assert '[lyrics]\nshading = "surprise"\n' in kept
    assert 'temperature = "0.9"' in kept
    assert "top_p" not in kept

    async with page() as lyrics:
        assert lyrics.field("temperature").value == "0.9"
        assert lyrics.field("artist").value == "Ada Moor"
        assert lyrics.screen._sheet.view == "surprise"
        await lyrics.fill(temperature="0.2", artist="", rhyme="")
        await lyrics.press("y")
        dialog = await lyrics.in_front(HistoryDialog)
        await lyrics.until(lambda: len(dialog.works) == 3)

        # The footer names the key that opens a song, which is a key of the list.
        await lyrics.until(lambda: "Open" in {key.description for key in dialog.query(FooterKey)})

        # Stars; the list follows each typed letter.
        await lyrics.press("down", "down", "f")
        await lyrics.until(lambda: dialog.works[2].starred)
        await lyrics.press("F")
        await lyrics.until(lambda: len(dialog.works) == 1)
        await lyrics.until(
            lambda: "History: 1 starred song" in str(dialog.query_one("#heading").render())
        )
        await lyrics.press("question_mark")
        keys = await lyrics.in_front(HelpScreen)
        assert {"Show it again, and set the fields as they were"} <= {
            str(cell) for cell in keys.table.columns[1].cells
        }
        await lyrics.press("escape")
        await lyrics.in_front(HistoryDialog)
        await lyrics.press("F", "slash", *"ada")
        await lyrics.until(lambda: [work.starred for work in dialog.works] == [False, False, True])
        await lyrics.press(*"x")
        await lyrics.until(lambda: not dialog.works)
        await lyrics.press("backspace", *" why", "enter")
        await lyrics.until(lambda: [work.starred for work in dialog.works] == [True])

        # Export in each format.
        for name in ("a.txt", "a.md", "a.json"):
            await lyrics.press("E")
            file = await lyrics.in_front(FileDialog)
            file.query_one("#file").value = name  # type: ignore[attr-defined]
            await lyrics.press("enter")
            await lyrics.in_front(HistoryDialog)
        whole = "Why" + fake.song(3, None)
        assert Path("a.txt").read_text() == whole + "\n"
        assert Path("a.md").read_text().startswith(f"# {whole.splitlines()[0]} · Ada Moor · first")
        assert "| temperature | 0.9 |" in Path("a.md").read_text()
        exported = json.loads(Path("a.json").read_text())
        assert (exported["text"], exported["settings"]["artist"]) == (whole, "Ada Moor")

        # Reopened, with the fields as they were; it is continued from, and not kept twice.
        await lyrics.press("enter")
        await lyrics.until(lambda: lyrics.app.screen is lyrics.screen)
        await lyrics.until(lambda: lyrics.text.text == whole)
        assert [lyrics.field(name).value for name in ("temperature", "rhyme", "artist")] == [
            "0.9", "aabb", "Ada Moor",
        ]  # fmt: skip
        assert "G writes it again" in lyrics.status
        await lyrics.press("left", "left")
        assert lyrics.screen._sheet.before == whole[:-2]

        # Deleting asks first.
        await lyrics.press("y")
        dialog = await lyrics.in_front(HistoryDialog)
        await lyrics.until(lambda: len(dialog.works) == 3)
        await lyrics.press("x", "y")
        await lyrics.until(lambda: len(dialog.works) == 2)
    assert len(history.find("lyrics")) == 2
