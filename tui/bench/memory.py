"""What a long song costs: plain, checkpointed and truncated back-propagation through time.

Two lanes of one song of T frames, a network of two LSTM layers, one thread, each in a fresh process
(`tui.bench.long_song`). Plain back-propagation is drawn out from the lengths before, by a straight
line, where it does not fit in the memory that is free.
"""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import psutil

from engine import processes
from engine.errors import WorkError
from tui.bench.measurement import Measurement

LENGTHS, HIDDEN = (1024, 4096, 16_384, 65_536), 512
QUICK_LENGTHS, QUICK_HIDDEN = (256, 512, 1024), 64
WAYS = ("plain", "checkpointed", "truncated")
ROOM = 1.5  # times what is expected must be free


@dataclass(frozen=True)
class Cost:
    """Of one song."""

    megabytes: float  # the most, over the process with its network made
    seconds: float  # of one processor


def measure(quick: bool) -> Iterator[Measurement]:
    """Memory and time for each length and way, beside those of plain back-propagation."""
    hidden = QUICK_HIDDEN if quick else HIDDEN
    plain: dict[int, Cost] = {}
    for frames in QUICK_LENGTHS if quick else LENGTHS:
        for way in WAYS:
            said = f"{way}, {frames:,} frames"
            expected = _drawn_out(plain, frames) if way == "plain" and len(plain) > 1 else None
            if expected and expected.megabytes * 1e6 * ROOM > psutil.virtual_memory().available:
                cost, said = expected, f"{said} (drawn out)"
            else:
                cost = _cost(way, frames, hidden)
            if way == "plain":
                plain[frames] = cost
                yield Measurement(f"memory, {said}", cost.megabytes, "MB")
                yield Measurement(f"time, {said}", cost.seconds, "CPU s")
                continue
            beside = plain[frames]
            yield Measurement(f"memory, {said}", cost.megabytes, "MB", beside.megabytes, lower=True)
            yield Measurement(f"time, {said}", cost.seconds, "CPU s", beside.seconds, lower=True)


def _drawn_out(costs: dict[int, Cost], frames: int) -> Cost:
    """The cost of more frames, on the straight line through the last two."""
    (low, before), (high, last) = list(costs.items())[-2:]
    far = (frames - high) / (high - low)
    return Cost(
        last.megabytes + far * (last.megabytes - before.megabytes),
        last.seconds + far * (last.seconds - before.seconds),
    )


def _cost(way: str, frames: int, hidden: int) -> Cost:
    words = [*processes.command("tui.bench.long_song"), way, str(frames), str(hidden)]
    done = subprocess.run(words, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise WorkError(
            f"The process that trained {way} on {frames:,} frames ended with status "
            f"{done.returncode}: close what needs much memory, or take --quick."
        )
    found = json.loads(done.stdout)
    return Cost(found["bytes"] / 1e6, found["seconds"])
