"""Write piano music: as MIDI, MusicXML, sound, a picture or JSON."""

import argparse
import dataclasses
import itertools
from pathlib import Path
from typing import TYPE_CHECKING

from engine import files
from engine.errors import InputError
from engine.music import ABC_SUFFIX, SCORE_SUFFIXES, pitch
from engine.options import (
    FRAME_OPTIONS,
    MUSIC_EXTRA_OPTIONS,
    MUSIC_OPTIONS,
    MUSIC_SAMPLING_OPTIONS,
)
from tui.commands import output
from tui.commands.arguments import add_model, add_option, add_options

if TYPE_CHECKING:
    from engine.data.codecs import KeysCodec
    from engine.inference.models import Model
    from engine.music.piano_roll import Roll
    from engine.music.score import Score
    from engine.sampling.harmonize import HarmonyStream
    from engine.sampling.music import MusicStream


_SUFFIXES = {  # by option
    "-o": (*SCORE_SUFFIXES, ABC_SUFFIX),
    "--wav": (".wav",),
    "--png": (".png",),
}


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_model(parser)
    prompt = parser.add_mutually_exclusive_group()
    prompt.add_argument(
        "--prime", metavar="FILE", type=Path, help="Prompt: a MIDI or MusicXML file to continue."
    )
    prompt.add_argument(
        "--notes", metavar="C4,E4,G4",
        help="Prompt: a chord to begin with, as note names or MIDI pitches.",
    )  # fmt: skip
    prompt.add_argument(
        "--melody", metavar="FILE.mid|NOTES",
        help="Harmonize a melody, whose notes do not change: a file, or notes with their "
        "lengths in beats, such as 'C4 D4 E4:2 r G4:0.5'.",
    )  # fmt: skip
    add_options(parser, MUSIC_SAMPLING_OPTIONS.values())
    length = parser.add_mutually_exclusive_group()
    add_option(length, MUSIC_OPTIONS["length"], default=None)
    length.add_argument("--seconds", metavar="S", type=float, help="Length in seconds.")
    length.add_argument(
        "--bars", metavar="N", type=float,
        help="Length in bars, of the prompt's time signature or else the model's.",
    )  # fmt: skip
    pieces = parser.add_mutually_exclusive_group()
    for option in MUSIC_EXTRA_OPTIONS.values():
        add_option(pieces, option)
    add_option(parser, MUSIC_OPTIONS["seed"])
    parser.add_argument(
        "-o", "--output", metavar="FILE", type=Path,
        help="Write a MIDI file (.mid), sheet music as MusicXML (.musicxml, .mxl), or ABC (.abc).",
    )  # fmt: skip
    parser.add_argument("--wav", metavar="FILE", type=Path, help="Write a WAV file.")
    parser.add_argument("--png", metavar="FILE", type=Path, help="Draw the piano roll as a PNG.")
    parser.add_argument(
        "--play", action="store_true",
        help="Play the music once it is written; without -o, --wav or --png, also save it as "
        "MODEL-SEED.mid in the current folder.",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="Print one JSON object for each frame.")


def run(arguments: argparse.Namespace) -> int:
    """Write the music and print the names of the files."""
    wanted = (arguments.output, arguments.wav, arguments.png, arguments.play, arguments.json)
    if not any(wanted):
        raise InputError("No output was chosen: add -o FILE.mid, --wav, --png, --play or --json.")
    if arguments.play and arguments.json:
        raise InputError("--play and --json both print to the terminal: use one of them.")
    if arguments.play and arguments.count > 1:
        raise InputError("--play plays one piece: leave --count out, or use --best.")
    _check_paths({option: path for option, path in zip(_SUFFIXES, wanted, strict=False) if path})
    from engine.inference import models

    model = models.load(arguments.model, kind="music")
    return (_sample if arguments.melody is None else _harmonize)(model, arguments)


def _sample(model: "Model", arguments: argparse.Namespace) -> int:
    """Write music of the requested length; return the exit status."""
    import numpy as np

    from engine import protocol
    from engine.protocol import MusicFrame
    from engine.sampling.music import (
        MusicRequest,
        frame_pitches,
        keys_codec,
        read_prompt,
        streams,
        with_frames,
    )

    notes = None if arguments.notes is None else pitch.parse_chord(arguments.notes)
    prompt = read_prompt(keys_codec(model), arguments.prime, notes)
    codec, time_signature = prompt.codec, prompt.time_signature
    request = MusicRequest(
        prime=prompt.roll,
        seed=arguments.seed,
        length=_frames(arguments, codec, time_signature),
        **{name: getattr(arguments, name) for name in MUSIC_SAMPLING_OPTIONS},
    )
    pieces = streams(model, request, arguments.best or arguments.count)
    status = 0
    for index, (piece, frames) in enumerate(with_frames(pieces, bool(arguments.best))):
        number = index if arguments.count > 1 else None
        written = [*piece.prime]
        for frame in frames:
            written.append(frame)
            if arguments.json:
                answer = MusicFrame(frame_pitches(frame, codec.planes), number)
                output.echo_json(protocol.encode_output(answer))
        music = codec.decode(np.stack(written))
        score = dataclasses.replace(music.score(), time_signature=time_signature)
        status = _write(score, music, piece, arguments, number)
    return status


def _harmonize(model: "Model", arguments: argparse.Namespace) -> int:
    """Harmonize a melody; return the exit status."""
    from engine import protocol
    from engine.protocol import MusicFrame
    from engine.sampling.harmonize import HarmonyRequest, read_melody, stream
    from engine.sampling.music import keys_codec

    for name in ("length", "seconds", "bars"):
        if getattr(arguments, name) is not None:
            raise InputError(f"--melody sets the length: leave out --{name}.")
    if arguments.best or arguments.count > 1:
        raise InputError("--melody writes one piece: leave out --count and --best.")
    request = HarmonyRequest(
        melody=read_melody(keys_codec(model), arguments.melody),
        seed=arguments.seed,
        **{name: getattr(arguments, name) for name in FRAME_OPTIONS},
    )
    song = stream(model, request)
    for frame in song:
        if arguments.json:
            output.echo_json(protocol.encode_output(MusicFrame(frame)))
    return _write(song.score, song.codec.quantize(song.score), song, arguments)


def _numbered(arguments: argparse.Namespace, index: int | None) -> argparse.Namespace:
    """Return the arguments with the paths of one of several pieces, such as FILE-1.mid."""
    result = argparse.Namespace(**vars(arguments))
    if index is not None:
        for name in ("output", "wav", "png"):
            path: Path | None = getattr(arguments, name)
            if path is not None:
                setattr(result, name, path.with_stem(f"{path.stem}-{index + 1}"))
    return result


def _check_paths(paths: dict[str, Path]) -> None:
    """Raise InputError for output paths that cannot be used, before any music is written.

    paths: by option, a key of _SUFFIXES.
    """
    resolved = [path.resolve() for path in paths.values()]
    for (option, path), target in zip(paths.items(), resolved, strict=True):
        for other, suffixes in _SUFFIXES.items():
            if other != option and path.suffix.lower() in suffixes:
                raise InputError(
                    f"{option} does not write {path.suffix} files: use {other} {path}."
                )
        if resolved.count(target) > 1:
            raise InputError(f"{path} would be written twice: use a different file for each.")
        if path.is_dir():
            raise InputError(f"{path} is a folder: name a file in it.")


def _frames(
    arguments: argparse.Namespace, codec: "KeysCodec", time_signature: tuple[int, int]
) -> int | None:
    """Return the number of frames to write, from --length, --seconds or --bars; None: no limit."""
    from engine.sampling.music import count_frames

    bars, seconds = arguments.bars, arguments.seconds
    if bars is not None or seconds is not None:
        return count_frames(codec, time_signature, bars=bars, seconds=seconds, prefix="--")
    frames: int | None = arguments.length
    return frames


def _write(
    score: "Score",
    roll: "Roll",
    song: "MusicStream | HarmonyStream",
    arguments: argparse.Namespace,
    index: int | None = None,
) -> int:
    """Write the requested files, then play if requested; return the exit status.

    roll: the score in frames, for a picture; song: the stream that wrote it, which has ended;
    index: that of the piece among several.
    """
    arguments = _numbered(arguments, index)
    from engine import protocol
    from engine.music import score_file
    from engine.protocol import MusicDone

    if arguments.json:
        assert song.reason is not None
        done = MusicDone(song=index, reason=song.reason, frames=song.frames, seed=song.seed)
        output.echo_json(protocol.encode_output(done, model=song.model.name))
    if not any((arguments.output, arguments.wav, arguments.png, arguments.json)):
        # A piece that was only to be played is kept, whether it can be played or not.
        arguments.output = _free_path(f"{Path(song.model.name).name}-{song.seed}", ".mid")
    if arguments.output:
        score_file.write(score, arguments.output)
    if arguments.wav:
        from engine.music import wav_file

        wav_file.write(score, arguments.wav)
    if arguments.png:
        from engine.music import roll_image

        with files.explain_write_errors(arguments.png):
            roll_image.write([roll], arguments.png)
    paths = (arguments.output, arguments.wav, arguments.png)
    names = ", ".join(str(path) for path in paths if path)
    if names:
        output.echo(
            f"{names}: {len(score.notes)} notes, {roll.seconds:.0f} s, seed {song.seed}",
            err=arguments.json,
        )
    if not arguments.play:
        return 0
    from tui.commands import play

    return play.play(arguments.programs.player, score, names)


def _free_path(stem: str, suffix: str) -> Path:
    """Return the path of a file that does not exist yet, such as stem.mid, stem-2.mid …"""
    names = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
    return next(path for name in names if not (path := Path(name + suffix)).exists())
