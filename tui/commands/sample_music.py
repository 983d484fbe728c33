"""Piano music, frame by frame: as MIDI, sound or a picture."""

import argparse
import dataclasses
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from engine import files
from engine.errors import InputError
from engine.music import pitch

if TYPE_CHECKING:
    from engine.data.codecs import KeysCodec
    from engine.music.piano_roll import Roll


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    parser.add_argument("--model", metavar="M", help="a model's or a run's name, or a path")
    begin = parser.add_mutually_exclusive_group()
    begin.add_argument("--prime", metavar="FILE.mid", type=Path, help="how the music begins")
    begin.add_argument(
        "--notes", metavar="C4,E4,G4", help="the first chord, as names or MIDI pitches"
    )
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
    long.add_argument(
        "--bars", metavar="N", type=float, help="so many bars, in the metre of the prime or of 4/4"
    )
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
    _check_places([path for path in wanted[:3] if path])
    import numpy as np

    from engine.inference import models
    from engine.sampling import music as rolls
    from engine.sampling.music import MusicRequest

    notes = None if arguments.notes is None else pitch.parse_chord(arguments.notes)
    model = models.load(arguments.model, kind="music")
    codec = rolls.keys_codec(model)
    prime, metre = rolls.read_prompt(codec, arguments.prime, notes)
    request = MusicRequest(
        prime=prime,
        temperature=arguments.temperature,
        memory=arguments.memory,
        least=arguments.least,
        seed=arguments.seed,
        length=_frames(arguments, codec, metre),
    )
    song = rolls.stream(model, request)
    written = [*song.prime]
    for frame in song:
        written.append(frame)
        if arguments.json:
            print(json.dumps(rolls.frame_to_json(frame, codec.planes)))
    if arguments.json:
        done = {"reason": song.reason, "frames": song.frames, "seed": song.seed}
        print(json.dumps({"done": True, **done, "model": model.name}), flush=True)
    return _keep(codec.decode(np.stack(written)), metre, arguments, song.seed)


def _check_places(places: list[Path]) -> None:
    """Refuse what cannot be written before any music is made."""
    resolved = [path.resolve() for path in places]
    for path, place in zip(places, resolved, strict=True):
        if resolved.count(place) > 1:
            raise InputError(f"{path} is to be written twice: give each its own file.")
        if path.is_dir():
            raise InputError(f"{path} is a folder: give the name of a file in it.")


def _frames(arguments: argparse.Namespace, codec: "KeysCodec", metre: tuple[int, int]) -> int:
    """How many frames to write, whatever the length was given in."""
    for name, each in (("seconds", 1 / codec.seconds), ("bars", codec.frames_per_bar(metre))):
        count: float | None = getattr(arguments, name)
        if count is None:
            continue
        if not 0 < count < 1e6:
            raise InputError(f"--{name} is {count}: give some, up to a million.")
        return max(1, round(count * each))
    return 200 if arguments.length is None else int(arguments.length)


def _keep(music: "Roll", metre: tuple[int, int], arguments: argparse.Namespace, seed: int) -> int:
    from engine.music import midi

    score = dataclasses.replace(music.score(), time_signature=metre)
    if arguments.output:
        midi.write(score, arguments.output)
    if arguments.wav:
        from engine.music import wav

        wav.write(score, arguments.wav)
    if arguments.png:
        from engine.music import roll_image

        with files.explain_write_errors(arguments.png):
            roll_image.write([music], arguments.png)
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
