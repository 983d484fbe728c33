"""Saves music beside the app: sound takes seconds to make, and the page is to stay fluent."""

import asyncio
import contextlib
from pathlib import Path

from engine import processes
from engine.errors import WorkError
from engine.music.export import ExportRequest
from engine.music.score import Score

# How the process is called; tests put their own in place.
command: tuple[str, ...] = processes.command("engine.music.export")


async def save(score: Score, path: Path, frame: float) -> None:
    """Write music to a file, by its ending; see `engine.music.export.save`.

    Raises WorkError, with a sentence, where that fails. When this is cancelled the process is
    ended too.
    """
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=asyncio.subprocess.DEVNULL, stderr=pipe
        )
    except OSError as error:
        raise WorkError(f"Cannot save ({error.strerror}): is rnn-tui installed whole?") from error
    try:
        request = ExportRequest(score, path, frame).encode().encode()
        _, said = await process.communicate(request)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode:
        lines = said.decode(errors="replace").strip().splitlines()
        raise WorkError(lines[-1] if lines else f"Saving {path.name} broke off: try again.")
