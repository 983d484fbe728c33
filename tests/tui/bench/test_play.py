"""How late notes are, and what ends the benchmark early."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine import processes
from engine.errors import WorkError
from tui.bench import play


def test_lateness_is_counted_from_the_most_punctual_note() -> None:
    moments = [100 + play.NOTE_SECONDS * i for i in range(5)]
    assert play.lateness(moments) == pytest.approx([0] * 5)
    moments[0] += 0.004
    moments[3] += 0.025
    assert play.lateness(moments) == pytest.approx([4, 0, 0, 25, 0], abs=1e-6)


@pytest.mark.slow
def test_process_and_thread_are_measured_in_one_run() -> None:
    found = [json.loads(measurement.json()) for measurement in play.measure(quick=True)]
    assert [each["what"] for each in found] == [
        "lateness of half of the notes",
        "lateness of 99 of 100 notes",
        "lateness of all notes",
        "echo of half of the keys",
        "echo of 99 of 100 keys",
        "echo of all keys",
        "answer after the rest, half of the phrases",
        "answer after the rest, all phrases",
    ]
    *found, _, answer = found
    assert (answer["unit"], answer["reference"], answer["ratio"]) == ("beats", None, None)
    assert np.isfinite(answer["value"])
    for each in found:
        assert each["unit"] == "ms"
        assert each["ratio"] == pytest.approx(each["reference"] / each["value"])
    for key in ("value", "reference"):
        for some in (found[:3], found[3:]):
            values = [each[key] for each in some]
            assert values == sorted(values)
            assert values[0] >= 0
            assert np.isfinite(values).all()


def test_a_player_that_dies_is_an_error(tmp_path: Path) -> None:
    command = [*processes.command("tui.bench.play"), "player", str(tmp_path / "gone" / "moments")]
    player = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    with pytest.raises(WorkError, match="0 of 2 notes"):
        play._play(player, 2, tmp_path / "gone" / "moments")


def test_a_screen_that_does_not_start_is_an_error() -> None:
    silent = subprocess.Popen(
        [sys.executable, "-c", "pass"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with pytest.raises(WorkError, match="redrawing screen ended"):
        play.wait_until_drawn(silent)
