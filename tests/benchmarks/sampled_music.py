"""What models of music write at their defaults, against their training songs.

Run `python -m tests.benchmarks.sampled_music [MODEL …]`: for each model the pieces that end by
themselves, the longest holds and silences, note starts off the grid as read by pretty_midi, frames
with parallel fifths and octaves, and the lengths.
"""

import argparse
import io

import numpy as np
import pretty_midi

from engine.data.music_bounds import longest_runs
from engine.frame_spec import KEYS
from engine.inference import models
from engine.music import midi
from engine.music.voice_leading import count_parallels
from engine.sampling.music import MusicRequest, keys_codec, streams


def off_grid(data: bytes, beats: float) -> int:
    """Return how many notes of a MIDI file do not start at a multiple of `beats`."""
    file = pretty_midi.PrettyMIDI(io.BytesIO(data))
    starts = [note.start for instrument in file.instruments for note in instrument.notes]
    frames = [file.time_to_tick(start) / file.resolution / beats for start in starts]
    return sum(abs(frame - round(frame)) > 1e-6 for frame in frames)


def measure(name: str, count: int, guard: str) -> str:
    """Return a line about `count` pieces of a model, with seeds from 0."""
    model = models.load(name, kind="music")
    codec, bounds = keys_codec(model), model.meta.bounds
    ended, parallels, total, stray, lengths, holds, silences = 0, 0, 0, 0, [], [], []
    for piece in streams(model, MusicRequest(seed=0, guard=guard), count):
        frames = np.stack(list(piece))
        ended += piece.reason == "end"
        hold, silence = longest_runs(frames[:, :KEYS])
        holds.append(hold)
        silences.append(silence)
        parallels += count_parallels(frames[:, :KEYS])
        total += len(frames)
        lengths.append(len(frames))
        stray += off_grid(midi.encode(codec.decode(frames).score()), codec.beats or 1)
    return (
        f"{name}, guard {guard}: {ended} of {count} end by the end mark; longest hold {max(holds)} "
        f"and silence {max(silences)} frames (bounds {bounds}); {stray} note starts off the grid; "
        f"parallels in {parallels / total:.4f} of {total:,} frames; length "
        f"{min(lengths)} to {max(lengths)}, median {np.median(lengths):.0f} frames"
    )


def main() -> None:
    """Print a line for each model, with the guard and without."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.sampled_music")
    parser.add_argument("models", metavar="MODEL", nargs="*", default=["folk", "chorales"])
    parser.add_argument("--count", type=int, default=40, help="pieces of each model (default 40)")
    arguments = parser.parse_args()
    for name in arguments.models:
        for guard in ("on", "off"):
            print(measure(name, arguments.count, guard), flush=True)


if __name__ == "__main__":
    main()
