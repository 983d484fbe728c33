"""List the songs that a network finds most similar to one."""

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import InputError
from engine.music import MIDI_SUFFIXES
from tui.commands import output

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.inference.models import Model


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    parser.add_argument(
        "song", metavar="SONG", help="a title or a part of it, 'artist - title', or a file"
    )
    parser.add_argument("--model", metavar="M", help="a model's or a run's name, or a path")
    parser.add_argument("--count", metavar="N", type=int, default=10, help="so many songs (10)")
    parser.add_argument("--json", action="store_true", help="one JSON object a song")


def run(arguments: argparse.Namespace) -> int:
    """Print them, the nearest first: cosines of mean hidden states."""
    from engine.analysis import song_embeddings, song_map
    from engine.inference import models

    song_map.check_count(arguments.count)
    file = _file(arguments.song)
    music = file is not None and file.suffix.lower() in MIDI_SUFFIXES
    kind = None if arguments.model else "music" if music else "lyrics"
    model = models.load(arguments.model, kind=kind)
    song = _frames(model, file) if file else None  # before songs are read for half a minute
    songs = song_embeddings.embed_songs(model, output.progress("Reading the songs"))
    if song is None:
        place = song_map.find_song(songs, arguments.song)
        name = song_map.full_title(*songs.corpus.titles[songs.rows[place]])
        rows = song_map.nearest_songs(songs, songs.vectors[place], arguments.count, place)
    else:
        name = str(file)
        ((_, vectors),) = song_embeddings.embed(model, [song])
        rows = song_map.nearest_songs(songs, vectors[0], arguments.count)
    if arguments.json:
        for row in rows:
            print(json.dumps({"to": name, **dataclasses.asdict(row)}, ensure_ascii=False))
        return 0
    print(f"The songs of {songs.corpus.name} that {model.name} finds most similar to {name}:")
    for row in rows:
        print(f"{row.similarity:7.3f}  {song_map.full_title(row.artist, row.title)}")
    return 0


def _file(words: str) -> Path | None:
    """The file that is meant; None for a title."""
    try:
        path = Path(words).expanduser()
        return path if path.is_file() else None
    except (OSError, RuntimeError):  # as of a name too long for any file
        return None


def _frames(model: "Model", file: Path) -> "NDArray[Any]":
    """The frames of the song in a file, of the kind that the model reads."""
    from engine.analysis import song_input
    from engine.data.codecs import KeysCodec
    from engine.sampling import music as rolls

    codec = model.codec
    if isinstance(codec, KeysCodec):
        music, _ = rolls.read_prompt(codec, file)
        assert music is not None
        return codec.encode(music)
    try:
        text = file.read_text(encoding="utf-8-sig").replace("\r\n", "\n").strip()
    except (OSError, ValueError) as error:
        raise InputError(
            f"Cannot read {file} as a text in UTF-8 ({error}): give another."
        ) from error
    if not text:
        raise InputError(f"{file} is empty: give a file that holds a song.")
    if len(text) > song_input.MAX_LENGTH:
        print(
            f"{file} has {len(text):,} characters: only the first {song_input.MAX_LENGTH:,} are "
            "read.",
            file=sys.stderr,
        )
        text = text[: song_input.MAX_LENGTH]
    if unknown := codec.unknown_characters(text):
        shown = ", ".join(map(repr, unknown[:10]))
        print(f"{model.name} has never seen {shown}: read as unknown.", file=sys.stderr)
    return codec.encode(text)
