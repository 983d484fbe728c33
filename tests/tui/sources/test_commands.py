import asyncio
import sys
from pathlib import Path

import psutil
import pytest

from engine.errors import WorkError
from tui.sources import commands


def play(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    monkeypatch.setattr(commands, "prefix", (sys.executable, "-c", script))


async def test_objects_a_line_and_the_words(monkeypatch: pytest.MonkeyPatch) -> None:
    play(monkeypatch, "import sys, json; print(json.dumps({'words': sys.argv[1:]})); print()")
    assert await commands.run("runs", "--json") == [{"words": ["runs", "--json"]}]


async def test_the_last_line_on_stderr_is_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    play(monkeypatch, "import sys; print('one\\nThe reason.\\n', file=sys.stderr); sys.exit(2)")
    heard: list[str] = []
    with pytest.raises(WorkError, match=r"^The reason\.$"):
        await commands.run("runs", on_message=heard.append)
    assert heard == ["one", "The reason."]


async def test_a_silent_failure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    play(monkeypatch, "raise SystemExit(3)")
    with pytest.raises(WorkError, match="rnn-tui data list failed: it ended with status 3"):
        await commands.run("data", "list", "--json")


async def test_what_is_no_object_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    play(monkeypatch, "print('[1]')")
    with pytest.raises(WorkError, match="JSON object"):
        await commands.run("runs")


async def test_a_command_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "prefix", ("/no/such/python",))
    with pytest.raises(WorkError, match="Cannot run /no/such/python"):
        await commands.run("runs")


async def test_cancelling_ends_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    play(
        monkeypatch,
        f"import os, pathlib, time; pathlib.Path({str(mark)!r}).write_text(str(os.getpid()));"
        "print('going', file=__import__('sys').stderr, flush=True); time.sleep(60)",
    )
    going = asyncio.Event()
    task = asyncio.create_task(commands.run("train", on_message=lambda _: going.set()))
    await asyncio.wait_for(going.wait(), 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not psutil.pid_exists(int(mark.read_text()))
