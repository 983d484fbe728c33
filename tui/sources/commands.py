"""Runs an rnn-tui command beside the app and collects the objects it prints."""

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any

from engine import processes
from engine.errors import WorkError

# How the commands are called; tests put their own in place.
prefix: tuple[str, ...] = processes.command("tui.cli")


async def run(
    *arguments: str, on_message: Callable[[str], object] | None = None
) -> list[dict[str, Any]]:
    """Run the command to its end; the JSON objects on its standard output, one a line.

    on_message: told each line on its standard error as it comes.
    Raises WorkError, with its last line there, when it ends with anything but zero. When this is
    cancelled the command is ended too.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *prefix,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=2**24,  # bytes in a line
        )
    except OSError as error:
        raise WorkError(f"Cannot run {prefix[0]} ({error.strerror}): reinstall rnn-tui.") from error
    assert process.stdout is not None
    assert process.stderr is not None
    messages: list[str] = []

    async def listen(stream: asyncio.StreamReader) -> None:
        async for line in stream:
            text = line.decode(errors="replace").strip()
            if text:
                messages.append(text)
                if on_message is not None:
                    on_message(text)

    try:
        output, _ = await asyncio.gather(process.stdout.read(), listen(process.stderr))
        status = await process.wait()
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if status != 0:
        said = messages[-1] if messages else f"it ended with status {status} and said nothing"
        name = " ".join(arguments[:2])
        raise WorkError(
            said.removeprefix("rnn-tui: ") if messages else f"rnn-tui {name} failed: {said}."
        )
    return [_object(line) for line in output.decode(errors="replace").split("\n") if line.strip()]


def _object(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise WorkError(f"The command printed {line[:60]!r} where a JSON object belongs.")
    return value
