"""Running an `rnn-tui` command with --json in a child process."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Sequence
from typing import Any

from engine.errors import WorkError


async def run(
    command: Sequence[str], *arguments: str, on_message: Callable[[str], object] | None = None
) -> list[dict[str, Any]]:
    """Run an rnn-tui command and return the JSON objects that it prints.

    command: the command line that starts rnn-tui. on_message: called with each line that it writes
    to stderr, at once. Raises WorkError, with the last of these lines, for an exit
    status other than 0. If this coroutine is cancelled, the process is killed.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=2**24,  # bytes in a line
        )
    except OSError as error:
        sentence = f"Cannot run {command[0]} ({error.strerror}): reinstall rnn-tui."
        raise WorkError(sentence) from error
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
        if messages:
            raise WorkError(messages[-1].removeprefix("rnn-tui: "))
        name = " ".join(arguments[:2])
        raise WorkError(f"rnn-tui {name} failed: it ended with status {status} and no message.")
    return [_object(line) for line in output.decode(errors="replace").split("\n") if line.strip()]


def _object(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise WorkError(f"The command printed {line[:60]!r} instead of a JSON object.")
    return value
