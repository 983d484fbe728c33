"""The Music page, each key and field, with a fake sampler and a recording player."""

import os
import re
import sys
import wave
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image
from textual.widgets import Input, Label

from engine.music import midi, musicxml
from engine.music.score import Note, Score
from tests.tui import fake_worker as fake
from tests.tui.music_page import page
from tests.tui.page import drawn, use_models
from tui.pages.music.piano_roll import TOP, PianoRoll
from tui.pages.music.piece import Piece
from tui.pages.music.player_panel import PlayerPanel
from tui.pages.music.roll_colors import LEFT
from tui.pages.music.screen import MusicScreen
from tui.sources.child_commands import Programs
from tui.widgets.file_dialog import FileDialog

QUARTER = 0.25  # seconds: a frame of the fake model


def expected(first: int, count: int, lead: int = 0) -> list[Note]:
    """Return `count` notes of the fake tune from frame `first`, `lead` frames later."""
    made = []
    for place in range(count):
        start = (lead + place) * QUARTER
        made.append(Note(start, start + QUARTER, fake.TUNE[(first + place) % 16]))
    place = 0
    while place < count:
        stop = min(place + 4 - (first + place) % 4, count)
        bass = fake.BASS[(first + place) // 4 % 4]
        made.append(Note((lead + place) * QUARTER, (lead + stop) * QUARTER, bass))
        place = stop
    return sorted(made, key=lambda note: (note.start, note.pitch))


def notes_of(piece: Piece) -> list[Note]:
    return sorted(piece.roll.notes, key=lambda note: (note.start, note.pitch))


# Several checks share an app where they do not disturb each other, since starting one takes longer
# than most checks.

# ── writing ──────────────────────────────────────────────────────────────────────────────────────


async def test_the_first_visit_writes_and_waits_for_space_and_escape_stops(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use_models(monkeypatch, "bundled")
    async with page(ready="folk") as music:
        await music.until(lambda: music.status.startswith("✓ written"))
        assert not music.screen.query_one(PlayerPanel).playing
        assert music.tape == []
        assert music.keys["space"] == "Play"
        await music.press("space")
        assert music.keys["space"] == "Pause"
        await music.until(lambda: music.down and music.transport.startswith("▶"))

        # In a field escape leaves the field; otherwise it stops the music.
        await music.focus_by("t", "temperature")
        await music.press("escape")
        await music.until(lambda: isinstance(music.screen.focused, PianoRoll))
        assert music.screen.query_one(PlayerPanel).playing
        await music.press("escape")
        assert music.keys["space"] == "Play"
        await music.until(lambda: not music.down and music.transport.startswith("■ 0:00"))

        # The sign of the line on playback does as the space key.
        await music.pilot.click("#transport", offset=(1, 0))
        await music.until(lambda: music.down and music.transport.startswith("▶"))
        await music.pilot.click("#transport", offset=(1, 0))
        await music.until(lambda: not music.down and music.transport.startswith("‖"))


async def test_without_a_model_the_page_shows_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    use_models(monkeypatch, "none")
    async with page(ready="") as music:
        await music.until(
            lambda: any("rnn-tui train music --data pieces" in line for line in music.lines)
        )
        await music.press("g")
        assert music.screen.session.items == []
        use_models(monkeypatch, "broken")
        await music.press("r")
        await music.until(lambda: any("no model to write with" in line for line in music.lines))
        await music.press("g")
        assert music.screen.session.items == []
        assert "cannot be read" in music.status
        use_models(monkeypatch)
        await music.press("r")
        await music.until(lambda: "ready" in music.status)


@pytest.mark.slow
async def test_models_prompt_and_fields_before_the_first_piece(tmp_path: Path) -> None:
    async with page() as music:
        # Only music models are listed, and the first is loaded.
        chooser = music.select("model")
        assert [str(label) for label, _ in chooser._options] == ["folk", "chorals"]
        assert music.status == "○ ready · folk · 2.94 nats/frame"
        words = music.text_of("#model-info")
        assert words == "lstm 2 × 192 · 2.94 nats/frame"
        hint = "Press g: the model “folk” begins a piece."
        await music.until(lambda: any(hint in line for line in music.lines))
        await music.fill(begins="C4 E4")
        await music.until(lambda: any("continues C4 E4" in line for line in music.lines))
        await music.fill(begins="")

        # Without a piece, playing and saving only show a message.
        await music.press("space", "S")
        await music.until_notified("There is no music to save yet")
        assert isinstance(music.app.screen, MusicScreen)

        # A wrong value is explained, and nothing is written.
        await music.fill(length="soon")
        assert music.problem == "✗ Length must be like 200 frames, 16 bars or 30 s, not 'soon'."
        await music.press("g")
        await music.until(lambda: music.focused == "length")
        assert music.screen.session.items == []
        assert music.field("length").has_class("-invalid")

        # The panel can be hidden, and opens for a field.
        await music.press("escape")
        panel = music.screen.query_one("MusicControls")
        await music.press("z")
        await music.until(lambda: not music.is_visible(panel))
        await music.focus_by("t", "temperature")
        await music.until(lambda: music.is_visible(panel))
        await music.press("escape")
        await music.until(lambda: not music.is_visible(panel))
        await music.press("z")
        await music.until(lambda: music.is_visible(panel))

        # Another model has other frames.
        await music.focus_by("m", "model")
        music.select("model").value = "run/chorals"
        await music.until(lambda: music.status == "○ ready · chorals")
        await music.fill(length="2 bars")
        piece = await music.write("escape", "g")
        assert piece.request is not None
        assert (piece.request.model, piece.request.bars) == ("chorals", 2)


async def test_the_fields_make_the_request_and_pieces_are_kept() -> None:
    async with page() as music:
        # Previous pieces are shown again and cleared.
        await music.fill(length="8", seed="11")
        first = await music.write()
        await music.fill(seed="")
        second = await music.write()
        assert "piece 2 of 2" in music.status
        await music.press("comma", "comma")
        assert music.screen.shown is first
        assert "piece 1 of 2" in music.status
        await music.press("full_stop")
        assert music.screen.shown is second
        await music.press("C")
        assert music.screen.shown is None
        await music.until(lambda: any("Nothing written yet" in line for line in music.lines))
        await music.press("comma")
        assert music.screen.shown is second

        # Seeds are used again and locked.
        assert second.seed == 7
        await music.press("comma")
        assert (await music.write("G")).seed == 11
        await music.press("k")
        assert music.field("seed").value == "11"
        await music.press("k")
        assert music.field("seed").value == ""

        # The fields make the request.
        values = {"begins": "60 E4", "temperature": "inf", "memory": "0.5", "least": "2"}
        await music.fill(**values, length="4 bars", seed="3")
        await music.focus_by("p", "begins")
        piece = await music.write("enter")
        request = piece.request
        assert request is not None
        assert (request.notes, request.options["temperature"], request.options["memory"]) == (
            (60, 64),
            float("inf"),
            0.5,
        )
        assert (request.options["least"], request.bars, request.seed) == (2, 4, 3)
        assert piece.roll.prompt_seconds == 2 * QUARTER
        assert notes_of(piece)[:2] == [Note(0, 0.25, 60), Note(0, 0.25, 64)]
        assert notes_of(piece)[4:] == expected(3, 32, lead=2)
        assert "┤" in music.lines[1]
        assert isinstance(music.screen.focused, PianoRoll)


@pytest.mark.slow
async def test_stops_refusals_and_the_end_of_the_sampler() -> None:
    async with page() as music:
        # Escape stops at once, and the piece is complete.
        await music.fill(begins="wait.mid")
        await music.press("g")
        await music.until(lambda: music.piece.frames == 8)
        assert music.status.startswith("♪ writing · 11 notes · 8 frames")
        await music.until(lambda: music.roll.up_to_date)
        await music.press("escape")
        assert music.status.startswith("■ stopped · 11 notes · 8 frames")
        assert notes_of(music.piece) == expected(7, 8)
        await music.fill(begins="")
        assert len(notes_of(await music.write())) == 251

        # A refusal is shown.
        await music.fill(begins="wrong.mid")
        await music.write()
        refusal = (
            "wrong.mid is not a usable MIDI file (it is cut off): export it again or use another."
        )
        assert music.status.startswith(f"✗ {refusal}")
        assert music.status.endswith(" · folk")

        # So is the end of the sampler, which the next piece starts again.
        await music.fill(begins="die.mid")
        await music.write()
        assert music.status.startswith(
            "✗ The sampler ended unexpectedly (exit status 1: a string broke): try again to restart"
        )
        await music.fill(begins="")
        assert len((await music.write()).roll.notes) == 251


# ── the piano roll ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
async def test_a_piece_on_the_roll_is_sought_scrolled_and_resized() -> None:
    async with page((80, 27)) as music:
        # A piece is shown on the roll as it is written.
        piece = await music.write()
        assert notes_of(piece) == expected(7, 200)
        assert music.status.startswith("✓ written · 251 notes · 200 frames · 800/s · seed 7")
        assert music.transport == "■ 0:00 / 0:50 · bar 1.1 · Grand piano"
        drawn_roll = music.lines
        assert drawn_roll[0].startswith(" " * LEFT + "▼1  ·   ·   ·   │2")
        assert any(line.startswith("  C4 ▀▀") for line in drawn_roll[TOP:])

        # Scrolling and zooming do not move the playhead.
        roll, first = music.roll, music.roll.viewport
        await music.press("pagedown")
        assert roll.viewport.start == first.columns // 2
        await music.press("ctrl+right", "ctrl+left", "pageup")
        assert roll.viewport.start == 0
        await music.press("up", "up", "down")
        assert roll.viewport.low == first.low + 2
        await music.press("plus")
        assert roll.viewport.cell < first.cell
        await music.press("minus", "minus")
        assert roll.viewport.cell > first.cell
        roll.post_message(scroll(roll, down=True))
        await music.until(lambda: roll.viewport.start == 4)
        roll.post_message(scroll(roll, down=False))
        await music.until(lambda: roll.viewport.start == 0)
        roll.post_message(scroll(roll, down=False, shift=True))
        await music.until(lambda: roll.viewport.low == first.low + 4)
        assert (roll.moment, roll.viewport.following) == (0.0, False)
        await music.press("f")
        assert (roll.viewport.low, roll.viewport.following) == (first.low, True)
        await music.press("plus")
        await music.until(lambda: roll.up_to_date and roll.viewport.cell == first.cell)

        # The playhead is moved by keys and the mouse.
        async def at(seconds: float) -> None:
            await music.until(lambda: music.roll.moment == seconds)

        await music.press("right")
        await at(0.5)
        await music.press("shift+right")
        await at(2.0)
        await music.press("shift+right", "right", "left", "left")
        await at(3.5)
        await music.press("shift+left")
        await at(2.0)
        await music.press("end")
        await at(50.0)
        assert music.roll.viewport.following
        await music.until(lambda: music.roll.up_to_date and music.roll._playhead is not None)
        await music.press("home")
        await at(0.0)
        await music.pilot.click(PianoRoll, offset=(LEFT + 12, 0))
        await at(12 * QUARTER / 2)
        assert not music.down

        # A change of size keeps the keys in view.
        middle = music.roll.viewport.low + music.roll.viewport.rows
        await music.pilot.resize_terminal(120, 36)
        await music.until(lambda: music.roll.viewport.rows > 20 and music.roll.up_to_date)
        assert abs(music.roll.viewport.low + music.roll.viewport.rows - middle) <= 2
        assert len(music.lines) == music.roll.size.height
        assert {len(line) for line in music.lines} == {music.roll.size.width}


def scroll(roll: PianoRoll, down: bool, shift: bool = False) -> Any:
    from textual import events

    kind = events.MouseScrollDown if down else events.MouseScrollUp
    return kind(roll, 9, 9, 0, 0, 0, shift, False, False)


# ── playing ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
async def test_a_piece_is_played_with_the_settings_of_playback() -> None:
    async with page() as music:
        # A piece is played, paused and stopped.
        await music.write()
        await music.press("space")
        await music.until(lambda: music.down)
        await music.until(lambda: music.playing and music.roll.moment > 0.3)
        assert re.match(r"▶ 0:\d\d / 0:50 · bar \d+\.", music.transport)  # how far depends on load
        assert "on tape" in music.transport
        await music.press("space")
        await music.until(lambda: not music.down and music.transport.startswith("‖"))
        await music.press("s")
        await music.until(lambda: music.transport.startswith("■ 0:00"))
        assert music.roll.moment == 0

        # The exclamation mark ends all notes.
        await music.press("space")
        await music.until(lambda: music.down)
        await music.press("exclamation_mark")
        await music.until(lambda: "807F40" in music.tape)
        assert not music.down
        await music.press("s")
        await music.until(lambda: music.transport.startswith("■ 0:00"))

        # Playback is changed by keys and fields.
        music.clear_tape()
        await music.press("right_curly_bracket", "right_curly_bracket", "left_curly_bracket")
        assert music.field("tempo").value == "1.1"
        await music.press("greater_than_sign", "greater_than_sign", "less_than_sign")
        assert music.field("transpose").value == "1"
        await music.focus_by("V", "velocity")
        await music.press("up", "up", "down", "escape")
        assert music.field("velocity").value == "1.1"
        await music.press("right_square_bracket", "left_square_bracket", "left_square_bracket")
        assert music.field("temperature").value == "0.9"
        await music.focus_by("i", "program")
        music.select("program").value = 73
        await music.press("escape")
        await music.until(lambda: "Flute" in music.transport)
        assert "× 1.1 · +1 st · velocity × 1.1" in music.transport
        await music.press("space")
        await music.until(lambda: music.down)
        assert "C049" in music.tape
        on = next(words for words in music.tape if words[0] == "9")
        assert on == f"90{notes_of(music.piece)[0].pitch + 1:02X}58"
        await music.fill(transpose="far")
        assert music.problem == "✗ Transpose must be a whole number from -60 to 60, not 'far'."
        assert "+1 st" in music.transport  # as before


async def test_a_piece_is_played_while_it_is_written_followed_and_looped() -> None:
    async with page() as music:
        # A piece is played while it is written.
        await music.fill(begins="wait.mid", tempo="10")
        await music.press("g", "space")
        await music.until(lambda: music.transport.startswith("… waiting for notes 0:00"))
        assert not music.down
        assert music.struck[:2] == [note.pitch for note in expected(7, 8)[:2]]
        await music.press("escape")  # no more will come: the last notes are known now
        await music.until(lambda: not music.piece.active and music.roll.moment == 0)
        music.clear_tape()
        await music.press("space")
        pitches = sorted(note.pitch for note in expected(7, 8))
        await music.until(lambda: sorted(music.struck) == pitches and not music.stage.playing)

        # The playhead is followed.
        await music.fill(begins="", length="60")
        await music.write()
        await music.fill(tempo="10")
        await music.press("space")
        await music.until(lambda: music.roll.viewport.start > 40)
        await music.until(lambda: not music.playing and music.roll.moment == 15.0)
        await music.fill(tempo="1")
        await music.press("space")  # from the beginning again
        await music.until(lambda: music.playing and music.roll.moment < 10)
        await music.press("s")
        await music.until(lambda: not music.playing)

        # The whole piece is looped, or its visible part.
        music.clear_tape()
        await music.fill(length="4")
        await music.write()
        await music.fill(tempo="4")
        await music.press("l", "space")
        await music.until(lambda: [words for words in music.tape if words[0] == "9"][6:])
        assert "loop" in music.transport
        await music.press("l")
        await music.until(lambda: not music.playing)
        assert "loop" not in music.transport
        await music.fill(length="200")
        await music.write()
        await music.press("pagedown", "L")
        await music.until(lambda: music.roll.moment == 4.0)
        assert "loop bar 3" in music.transport
        await music.press("L")
        assert "loop" not in music.transport


@pytest.mark.slow
async def test_ports_are_chosen_and_listed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with page(ports=("grand", "broken", "upright")) as music:
        chooser = music.select("port")

        def names() -> list[str]:
            return [str(value) for _, value in chooser._options]

        await music.until(lambda: len(names()) == 5)
        assert names() == ["", "grand", "broken", "upright", "silent"]
        await music.write()
        await music.focus_by("P", "port")
        chooser.value = "upright"
        await music.until(lambda: "on upright" in music.transport)
        await music.press("escape", "space")
        await music.until(lambda: music.down)
        chooser.value = "broken"
        await music.until(lambda: "Cannot open the MIDI port 'broken'." in music.status)
        assert not music.down
        chooser.value = "grand"
        await music.until(lambda: "on grand" in music.transport)
        await music.until(lambda: "Cannot open" not in music.status)
        await music.press("R")
        await music.until(lambda: chooser.value == "grand")


async def test_without_a_port_playback_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    async with page(ports=("none",)) as music:
        await music.write()
        await music.press("space")
        await music.until(lambda: music.playing and music.roll.moment > 0.5)
        assert "silent" in music.transport
        assert "silent: There is no MIDI port to play on" in music.status
        status = music.screen.query_one("#status")
        assert drawn(status)[-1].strip().endswith("connect one.")  # no line is cut off
        assert music.tape == []
        await music.press("space")
        await music.until(lambda: not music.playing)
        await music.press("R")
        assert "There is no MIDI port" in music.status


@pytest.mark.slow
async def test_a_player_that_died_is_started_again_and_quitting_ends_all_processes() -> None:
    async with page() as music:
        # The end of the player is shown, and playback can be resumed.
        await music.write()
        await music.press("end", "shift+left", "shift+left")
        await music.until(lambda: music.roll.moment == 46.0)
        await music.press("space")
        await music.until(lambda: music.down)
        first = music.stage.player.pid
        assert first
        psutil.Process(first).kill()
        await music.until(lambda: "The player ended unexpectedly (exit status -9)" in music.status)
        assert not music.playing
        moment = music.roll.moment
        assert moment >= 46
        Path("tape").unlink()
        await music.press("space")
        await music.until(lambda: music.playing and music.down)
        assert music.roll.moment >= moment
        assert "ended unexpectedly" not in music.status
        assert music.stage.player.pid not in (None, first)

        # Quitting ends both processes and all notes.
        await music.press("home")
        await music.until(lambda: music.down and music.roll.moment < 40)
        pids = music.screen.sampler.pid, music.stage.player.pid
        await music.press("q")
        await music.until(lambda: not music.app.is_running)
    assert all(pid and not psutil.pid_exists(pid) for pid in pids)
    assert not music.down
    assert os.path.getsize("tape")  # noqa: PTH202


# ── files ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
async def test_a_midi_file_is_opened_and_played(tmp_path: Path) -> None:
    tune = Score((Note(0, 0.5, 60, 30), Note(0.5, 30.0, 64, 120)), 90.0, (3, 4), program=40)
    midi.write(tune, tmp_path / "first.mid")
    musicxml.write(tune, tmp_path / "second.mxl")
    (tmp_path / "tunes").mkdir()
    (tmp_path / "tunes" / "one.mid").write_bytes(b"")
    (tmp_path / "tunes" / "notes.txt").write_bytes(b"")
    async with page() as music:
        # A path is suggested.
        await music.press("o")
        field = (await music.in_front(FileDialog)).query_one(Input)
        await music.press("t", "u")
        await music.until(lambda: field._suggestion == "tunes/")
        await music.press("right")
        await music.until(lambda: field._suggestion == "tunes/one.mid")
        await music.press("right")
        assert field.value == "tunes/one.mid"

        # A path that cannot be read is refused in the dialog.
        field.value = "gone"
        await music.press("enter")
        await music.until(lambda: music.dialog_shows("Cannot read"))
        await music.press("escape")
        await music.in_front(MusicScreen)

        # Sheet music and MIDI files are opened, and the last one is played.
        await music.open("second.mxl")
        assert music.status.startswith("✓ opened · 2 notes")
        assert "second.mxl" in music.status
        await music.open("first.mid")
        assert music.status == "✓ opened · 2 notes · piece 2 of 2 · first.mid"
        await music.until(lambda: "Violin" in music.transport)
        assert music.piece.roll.tempo_map.time_signature == (3, 4)
        await music.press("space")
        await music.until(lambda: 64 in music.down)
        assert "C028" in music.tape
        assert notes_of(music.piece)[0].velocity == 30


@pytest.mark.slow
async def test_a_piece_is_saved_as_played(tmp_path: Path) -> None:
    async with page() as music:
        # A piece is saved with the settings of playback.
        await music.fill(length="16", tempo="2", transpose="12")
        piece = await music.write()
        dialog = await music.save()
        assert dialog.query_one(Input).value == "folk-7.mid"
        await music.press("enter")
        await music.until((tmp_path / "folk-7.mid").exists)
        saved = midi.read(tmp_path / "folk-7.mid")
        assert saved.tempo == 240.0
        written = notes_of(piece)
        assert [note.pitch for note in saved.notes] == [note.pitch + 12 for note in written]
        starts = [note.start / 2 for note in written]
        assert [note.start for note in saved.notes] == pytest.approx(starts, abs=1e-3)
        await music.in_front(MusicScreen)
        await music.save("song.wav")
        await music.in_front(MusicScreen)
        with wave.open(str(tmp_path / "song.wav")) as file:
            assert file.getnframes() / file.getframerate() >= 2.0
        await music.save("song.png")
        await music.in_front(MusicScreen)
        with Image.open(tmp_path / "song.png") as image:
            assert min(image.size) > 100

        # What cannot be saved is explained.
        await music.save("song.mp3")
        await music.until(lambda: music.dialog_shows("has none of the endings .mid, .musicxml"))
        field = music.app.screen.query_one(Input)
        field.value = "[b]mine.ogg"  # no markup
        await music.press("enter")
        await music.until(lambda: music.dialog_shows("[b]mine.ogg has none of the endings"))
        assert str(music.app.screen.query_one(Label).visual).startswith("Save the ")
        field.value = "none/song.mid"
        await music.press("enter")
        await music.until(lambda: music.dialog_shows("There is no folder"))
        (tmp_path / "mine.mid").write_text("dear")
        field.value = "mine.mid"
        await music.press("enter")
        await music.until(
            lambda: music.dialog_shows("mine.mid exists: press enter again to replace it.")
        )
        assert (tmp_path / "mine.mid").read_text() == "dear"
        await music.press("enter")
        await music.in_front(MusicScreen)
        assert midi.read(tmp_path / "mine.mid").notes
        music.screen.programs = Programs(music_export=("/no/such/python",))
        await music.save("other.mid")
        await music.until(lambda: music.dialog_shows("Cannot save (No such file or directory)"))
        await music.press("escape")
        assert isinstance(music.app.screen, MusicScreen)
        assert not (tmp_path / "other.mid").exists()

        # Until a file is written, another name cannot cancel it; escape does.
        code = "import os, pathlib, sys; pathlib.Path('pid').write_text(str(os.getpid()));"
        code += "sys.stdin.read(); import time; time.sleep(60)"
        music.screen.programs = Programs(music_export=(sys.executable, "-c", code))
        await music.save("long.wav")
        await music.until(lambda: Path("pid").exists() and Path("pid").read_text())
        pid = int(Path("pid").read_text())
        await music.press("g", "enter")
        assert music.app.screen.query_one(Input).value == "long.wav"
        assert psutil.pid_exists(pid)
        await music.press("escape")
        await music.until(lambda: not psutil.pid_exists(pid))


# ── a narrow screen ──────────────────────────────────────────────────────────────────────────────


async def test_on_a_narrow_screen_the_panel_opens_for_a_field() -> None:
    async with page((40, 12)) as music:
        panel = music.screen.query_one("MusicControls")
        await music.write()
        assert not music.is_visible(panel)
        await music.focus_by("t", "temperature")
        await music.until(lambda: music.is_visible(panel))
        await music.press("up", "enter")
        assert music.field("temperature").value == "1.1"
        await music.until(lambda: not music.is_visible(panel))
