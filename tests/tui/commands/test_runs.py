"""Changing runs by command: their names and notes, and what a complete one cannot do."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from engine.config import RunConfig, with_settings
from engine.runs import run_dir
from engine.runs.event_log import EventLog
from engine.runs.events import Finished

Call = Callable[..., Any]


def make(name: str, *settings: str) -> run_dir.RunDir:
    run = run_dir.create(name, with_settings(RunConfig(), settings), {})
    log = EventLog(run.events)
    log.append(Finished(1, "completed"))
    log.close()
    return run


def test_a_run_is_renamed_noted_and_deleted(call: Call) -> None:
    make("first")
    assert call("runs", "rename", "first", "second").status == 0
    assert call("runs", "note", "second", "half the units").status == 0
    row = json.loads(call("runs", "--json").out)
    assert (row["name"], row["note"]) == ("second", "half the units")
    refused = call("runs", "rename", "second", "a/b")
    assert refused.status == 2
    assert "is not a valid name" in refused.err
    assert call("runs", "delete", "second").status == 0
    assert call("runs", "--json").out == ""
    assert call("runs", "delete", "second").status == 2


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        ((), "for more steps use 'rnn-tui train lyrics --resume first --set train.steps="),
        (("model.kind=markov",), "takes no requests: it is complete, and nothing is left"),
    ],
)
def test_a_finished_run_recommends_only_what_is_possible(
    call: Call, settings: tuple[str, ...], remedy: str
) -> None:
    make("first", *settings)
    refused = call("ask", "first", "stop")
    assert refused.status == 2
    assert remedy in refused.err
