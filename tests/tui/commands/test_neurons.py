"""The command `neurons`, with the included models."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Call = Callable[..., Any]


def test_the_best_units_of_each_feature_are_printed(call: Call, tmp_path: Path) -> None:
    text = tmp_path / "song.txt"
    text.write_text('She said, "I go\nto the sea" (and away),\nand away\n', encoding="utf-8")
    done = call("neurons", "--model", "lyrics", "--text", text, "--artist", "Ironmoth")
    assert done.status == 0
    assert done.err == "the text given: 49 characters\n"
    lines = done.out.splitlines()
    assert lines[0].split() == ["feature", "units"]
    assert "not in this song" in next(line for line in lines if "line repeated" in line)
    as_json = call("neurons", "--text", text, "--artist", "Ironmoth", "--json")
    rows = [json.loads(line) for line in as_json.out.splitlines()]
    assert len(rows) == len(lines) - 1
    for row, line in zip(rows, lines[1:], strict=True):
        assert row["model"] == "lyrics"
        assert row["feature"] in line
        for layer, unit, correlation in row["units"][:3]:
            assert f"{layer}:{unit} {correlation:+.2f}" in line
        assert len(row["units"]) in (0, 10)


def test_a_midi_file_is_read_by_a_model_of_music(call: Call) -> None:
    file = Path(__file__).parents[3] / "assets/corpora/pieces/valid/window-seat.mid"
    done = call("neurons", "--model", "chorales", "--text", file)
    assert done.status == 0
    assert done.err == "window-seat.mid: 80 frames\n"
    assert "chord changes" in done.out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "Cannot read"),
        (b"caf\xe9", "is not UTF-8 text: convert it."),
        (b"", "The text is empty"),
        ("§".encode(), "has characters that lyrics was not trained on ('§')"),
    ],
)
def test_invalid_texts(call: Call, tmp_path: Path, content: bytes | None, message: str) -> None:
    file = tmp_path / "song.txt"
    if content is not None:
        file.write_bytes(content)
    done = call("neurons", "--model", "lyrics", "--text", file)
    assert (done.status, done.out) == (2, "")
    assert message in done.err
    assert done.err.count("\n") == 1


def test_a_negative_song_number_is_refused(call: Call) -> None:
    done = call("neurons", "--song", "-1")
    assert (done.status, done.out) == (2, "")
    assert "The song number must be 0 or more, not -1." in done.err
