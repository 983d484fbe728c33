"""Piano music, frame by frame: as MIDI, sound or a picture."""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from engine import files
from engine.errors import InputError

if TYPE_CHECKING:
    from engine.data.codecs import KeysCodec
    from engine.music.roll import Roll


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    parser.add_argument("--model", metavar="M", help="a model's or a run's name, or a path")
    begin = parser.add_mutually_exclusive_group()
    begin.add_argument("--prime", metavar="FILE.mid", type=Path, help="how the music begins")
    begin.add_argument("--notes", metavar="60,64,67", help="the first chord, as MIDI pitches")
    parser.add_argument(
        "--temperature", metavar="T", type=float, default=1.0, help="0: the likeliest; inf: any"
    )
    parser.add_argument(
        "--memory", metavar="P", type=float, default=1.0, help="trust in the memory of the song"
    )
    parser.add_argument(
        "--least", metavar="N", type=int, default=0, help="notes that every frame has at least"
    )
    long = parser.add_mutually_exclusive_group()
    long.add_argument("--length", metavar="FRAMES", type=int, help="so many frames (200)")
    long.add_argument("--seconds", metavar="S", type=float, help="so long")
    parser.add_argument("--seed", metavar="N", type=int, help="the same seed, the same music")
    parser.add_argument("-o", "--output", metavar="FILE.mid", type=Path, help="write it as MIDI")
    parser.add_argument("--wav", metavar="FILE", type=Path, help="write its sound")
    parser.add_argument("--png", metavar="FILE", type=Path, help="draw its piano roll")
    parser.add_argument("--play", action="store_true", help="play it when it is written")
    parser.add_argument("--json", action="store_true", help="print one JSON object a frame")


def run(arguments: argparse.Namespace) -> int:
    """Write the music and say where."""
    wanted = (arguments.output, arguments.wav, arguments.png, arguments.play, arguments.json)
    if not any(wanted):
        raise InputError(
            "There is nothing to do with the music: give -o FILE.mid, --wav, --png, --play or "
            "--json."
        )
    if arguments.play and arguments.json:
        raise InputError("--play shows where it is and --json prints frames: give one of them.")
    import numpy as np

    from engine.data.codecs import KeysCodec
    from engine.music.score import KEYS, LOWEST
    from engine.sample import models, rolls
    from engine.sample.rolls import RollRequest

    model = models.load(arguments.model)
    codec = model.codec
    if not isinstance(codec, KeysCodec):
        raise InputError(f"{model.name} writes lyrics: use 'rnn-tui sample lyrics'.")
    length = 200 if arguments.length is None else arguments.length
    if arguments.seconds is not None:
        if not 0 < arguments.seconds < 1e6:
            raise InputError(f"--seconds is {arguments.seconds}: give some, up to a million.")
        length = max(1, round(arguments.seconds / codec.seconds))
    request = RollRequest(
        prime=_prime(arguments, codec),
        temperature=arguments.temperature,
        memory=arguments.memory,
        least=arguments.least,
        seed=arguments.seed,
        length=length,
    )
    song = rolls.stream(model, request)
    written = [*song.prime]
    for frame in song:
        written.append(frame)
        if arguments.json:
            planes = frame.reshape(-1, KEYS)
            keys, onsets = ((np.flatnonzero(plane) + LOWEST).tolist() for plane in planes[[0, -1]])
            print(json.dumps({"keys": keys, "onsets": onsets if codec.planes == 2 else None}))
    if arguments.json:
        done = {"reason": song.reason, "frames": song.frames, "seed": song.seed}
        print(json.dumps({"done": True, **done, "model": model.name}), flush=True)
    return _keep(codec.decode(np.stack(written)), arguments, song.seed)


def _prime(arguments: argparse.Namespace, codec: "KeysCodec") -> "Roll | None":
    import numpy as np

    from engine.music import midi, roll
    from engine.music.score import HIGHEST, LOWEST

    if arguments.prime is not None:
        return codec.quantised(midi.read(arguments.prime))
    if arguments.notes is None:
        return None
    try:
        pitches = [int(word) for word in arguments.notes.split(",")]
    except ValueError:
        pitches = []
    if not pitches or not all(LOWEST <= pitch <= HIGHEST for pitch in pitches):
        raise InputError(
            f"--notes is {arguments.notes!r}: give MIDI pitches from {LOWEST} to {HIGHEST}, as "
            "60,64,67."
        )
    chord = np.zeros((1, HIGHEST - LOWEST + 1), np.uint8)
    chord[0, [pitch - LOWEST for pitch in pitches]] = 1
    return roll.from_frames(chord, codec.seconds, codec.tempo)


def _keep(music: "Roll", arguments: argparse.Namespace, seed: int) -> int:
    from engine.music import midi

    score = music.score()
    if arguments.output:
        midi.write(score, arguments.output)
    if arguments.wav:
        from engine.music import wav

        wav.render(score, arguments.wav)
    if arguments.png:
        from engine.music import picture

        with files.refusing_full_disk(arguments.png):
            picture.write([music], arguments.png)
    kept = [str(path) for path in (arguments.output, arguments.wav, arguments.png) if path]
    if kept:
        print(
            f"{', '.join(kept)}: {len(score.notes)} notes, {music.seconds:.0f} s, seed {seed}",
            file=sys.stderr if arguments.json else sys.stdout,
        )
    if not arguments.play:
        return 0
    from tui.commands import play

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "song.mid"
        midi.write(score, path)
        return play.play(path)
