import math
import os
from collections.abc import Callable

import pytest

from engine.runs import run_dir
from engine.runs.events import Evaluated, Failed, Finished, Heartbeat
from tests.tui.conftest import WriteRun
from tui.sources.run_notices import RunWatcher, desktop_notification
from tui.sources.runs import RunList


def evaluated(step: int, bits: float) -> Evaluated:
    return Evaluated(step, bits * math.log(2), bits, 10, False)


def test_a_run_that_ends_is_noticed_once(write_run: WriteRun, append: Callable[..., None]) -> None:
    write_run("old")
    run = write_run("new", events=[])
    run_dir.write_worker(run, os.getpid())
    append(run, Heartbeat(0, "preparing"))
    watcher = RunWatcher(RunList())
    assert watcher.read() == []
    append(run, evaluated(10, 1.5), Finished(20, "completed"))
    assert [notice.sentence for notice in watcher.read()] == [
        "new: finished at step 10, best 1.500 bits."
    ]
    assert watcher.read() == []


def test_a_validation_loss_that_rises_is_noticed_once(
    write_run: WriteRun, append: Callable[..., None]
) -> None:
    run = write_run("new", events=[evaluated(10, 2.0), evaluated(20, 1.5)])
    run_dir.write_worker(run, os.getpid())
    watcher = RunWatcher(RunList())
    append(run, evaluated(30, 1.6), evaluated(40, 1.55))
    assert watcher.read() == []
    append(run, evaluated(50, 1.7))
    [notice] = watcher.read()
    assert notice.sentence.startswith(
        "new: the validation loss has risen since step 20 (1.500 bits)."
    )
    append(run, evaluated(60, 1.8))
    assert watcher.read() == []
    append(run, Failed(60, "The disk is full."))
    [notice] = watcher.read()
    assert notice.severity == "error"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"TERM": "xterm-kitty"}, "\x1b]9;a; b\x07"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "\x1b]9;a; b\x07"),
        ({"TERM": "foot"}, "\x1b]777;notify;rnn-tui;a, b\x1b\\"),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7600"},
         "\x1b]777;notify;rnn-tui;a, b\x1b\\"),
        ({"TERM": "tmux-256color", "TERM_PROGRAM": "tmux", "TMUX": "/tmp/x"}, ""),
        ({"TERM": "linux"}, ""),
    ],
)  # fmt: skip
def test_desktop_notifications_are_for_terminals_that_have_them(
    environ: dict[str, str], expected: str
) -> None:
    assert desktop_notification("a; b\x1b", environ) == expected
