"""Music saved by the ending of the file, in this process and in one of its own."""

import subprocess
import sys
import wave
from pathlib import Path

import pytest
from PIL import Image

from engine.errors import InputError
from engine.music import export_process, midi, musicxml
from engine.music.export_process import ExportRequest
from engine.music.score import Note, Score

NOTES = (Note(0.0, 0.5, 60, 70), Note(0.5, 1.0, 64, 90), Note(0.5, 1.0, 67, 90))
SCORE = Score(NOTES, 120.0, (3, 4), 40, ((0.5, 60.0),))


def run(path: Path, score: Score = SCORE) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "engine.music.export_process"],
        input=ExportRequest(score, path, 0.25).encode(),
        capture_output=True,
        text=True,
    )


def test_the_process_writes_the_same_score(tmp_path: Path) -> None:
    done = run(tmp_path / "song.MID")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert midi.read(tmp_path / "song.MID") == SCORE


def test_sheet_music_is_written(tmp_path: Path) -> None:
    export_process.save(SCORE, tmp_path / "song.mxl", 0.25)
    assert musicxml.read(tmp_path / "song.mxl") == SCORE


def test_sound_and_images_are_written(tmp_path: Path) -> None:
    export_process.save(SCORE, tmp_path / "song.wav", 0.25)
    with wave.open(str(tmp_path / "song.wav")) as file:
        assert file.getnframes() / file.getframerate() >= SCORE.end
    export_process.save(SCORE, tmp_path / "song.png", 0.25)
    with Image.open(tmp_path / "song.png") as image:
        assert image.format == "PNG"


def test_errors_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"song\.ogg has none of the endings \.mid, \.musicxml, \.mxl, \.abc"
    ):
        export_process.save(SCORE, tmp_path / "song.ogg", 0.25)
    (tmp_path / "song.mid").mkdir()
    done = run(tmp_path / "song.mid")
    assert done.returncode == 2
    assert "Cannot write" in done.stderr
    assert done.stderr.count("\n") == 1
    long = Score((Note(0.0, 4000.0, 60),))
    done = run(tmp_path / "song.wav", long)
    assert "67 minutes" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["song.mid"]


def test_a_request_is_decoded_as_it_was_encoded(tmp_path: Path) -> None:
    request = ExportRequest(SCORE, tmp_path / "song.png", 0.25)
    assert ExportRequest.decode(request.encode()) == request
