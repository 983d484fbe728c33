"""Saving music in a child process, so that the page stays responsive: sound takes seconds."""

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path

from engine.errors import WorkError
from engine.music.export_process import ExportRequest
from engine.music.score import Score


async def save(command: Sequence[str], score: Score, path: Path, frame: float) -> None:
    """Write music to a file, as `engine.music.export_process.save` does, in a child process.

    command: starts the process. frame: the length of a frame in seconds, for an image. Raises
    WorkError if saving fails. If this coroutine is cancelled, the process is killed.
    """
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=asyncio.subprocess.DEVNULL, stderr=pipe
        )
    except OSError as error:
        raise WorkError(f"Cannot save ({error.strerror}): reinstall rnn-tui.") from error
    try:
        request = ExportRequest(score, path, frame).encode().encode()
        _, errors = await process.communicate(request)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode:
        lines = errors.decode(errors="replace").strip().splitlines()
        raise WorkError(lines[-1] if lines else f"Saving {path.name} failed: try again.")
