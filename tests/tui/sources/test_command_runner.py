import asyncio
import sys
from pathlib import Path

import psutil
import pytest

from engine.errors import WorkError
from tui.sources import command_runner


def fake(script: str) -> tuple[str, ...]:
    """The command that runs a script in place of rnn-tui."""
    return (sys.executable, "-c", script)


async def test_objects_a_line_and_the_words() -> None:
    command = fake("import sys, json; print(json.dumps({'words': sys.argv[1:]})); print()")
    assert await command_runner.run(command, "runs", "--json") == [{"words": ["runs", "--json"]}]


async def test_the_last_line_on_stderr_is_the_error() -> None:
    command = fake("import sys; print('one\\nThe reason.\\n', file=sys.stderr); sys.exit(2)")
    heard: list[str] = []
    with pytest.raises(WorkError, match=r"^The reason\.$"):
        await command_runner.run(command, "runs", on_message=heard.append)
    assert heard == ["one", "The reason."]


async def test_a_silent_failure_is_named() -> None:
    command = fake("raise SystemExit(3)")
    with pytest.raises(
        WorkError, match="rnn-tui data list failed: it ended with status 3 and no message"
    ):
        await command_runner.run(command, "data", "list", "--json")


async def test_what_is_no_object_is_refused() -> None:
    command = fake("print('[1]')")
    with pytest.raises(WorkError, match="JSON object"):
        await command_runner.run(command, "runs")


async def test_a_command_that_is_not_there() -> None:
    command = ("/no/such/python",)
    with pytest.raises(WorkError, match="Cannot run /no/such/python"):
        await command_runner.run(command, "runs")


async def test_cancelling_ends_the_command(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    command = fake(
        f"import os, pathlib, time; pathlib.Path({str(mark)!r}).write_text(str(os.getpid()));"
        "print('going', file=__import__('sys').stderr, flush=True); time.sleep(60)",
    )
    going = asyncio.Event()
    task = asyncio.create_task(
        command_runner.run(command, "train", on_message=lambda _: going.set())
    )
    await asyncio.wait_for(going.wait(), 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not psutil.pid_exists(int(mark.read_text()))
