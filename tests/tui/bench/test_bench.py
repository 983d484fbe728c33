"""Every benchmark with small sizes: it prints valid measurements, whatever they are."""

import json
import math
import subprocess
import sys

import pytest

from tui.commands.bench import BENCHES


@pytest.mark.slow
@pytest.mark.parametrize("what", BENCHES)
def test_a_benchmark_prints_its_measurements(what: str) -> None:
    command = [sys.executable, "-m", "tui.cli", "bench", what, "--quick", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines
    for line in lines:
        assert math.isfinite(line["value"])
        assert line["what"]
        assert line["unit"]
        assert line["reference"] is None or line["ratio"] > 0
