"""List the songs most similar to a song, by a network's hidden states."""

import argparse
import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import InputError
from engine.music import SCORE_SUFFIXES
from tui.commands import output
from tui.commands.arguments import add_json, add_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.inference.models import Model


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "song", metavar="SONG",
        help="A title or a part of it, 'artist - title', or a text or MIDI file.",
    )  # fmt: skip
    add_model(parser)
    parser.add_argument(
        "--count", metavar="N", type=int, default=10, help="Number of songs (default 10)."
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the songs, the most similar first, by the cosine of their mean hidden states."""
    from engine.analysis import song_embeddings, song_map
    from engine.inference import models

    song_map.check_count(arguments.count)
    file = _file(arguments.song)
    music = file is not None and file.suffix.lower() in SCORE_SUFFIXES
    kind = None if arguments.model else "music" if music else "lyrics"
    model = models.load(arguments.model, kind=kind)
    song = _frames(model, file) if file else None  # before all other songs, which take a while
    songs = song_embeddings.embed_songs(model, output.progress("Reading the songs"))
    if song is None:
        index = song_map.find_song(songs, arguments.song)
        name = song_map.full_title(*songs.corpus.titles[songs.rows[index]])
        rows = song_map.nearest_songs(songs, songs.vectors[index], arguments.count, index)
    else:
        name = str(file)
        ((_, vectors),) = song_embeddings.embed(model, [song])
        rows = song_map.nearest_songs(songs, vectors[0], arguments.count)
    if arguments.json:
        for row in rows:
            facts = {"to": name, **dataclasses.asdict(row)}
            output.echo_json(json.dumps(facts, ensure_ascii=False))
        return 0
    output.echo(f"Songs of {songs.corpus.name} most similar to {name}, by {model.name}:")
    for row in rows:
        output.echo(f"{row.similarity:7.3f}  {song_map.full_title(row.artist, row.title)}")
    return 0


def _file(song: str) -> Path | None:
    """Return the path of an existing file; None if the text is a title."""
    try:
        path = Path(song).expanduser()
        return path if path.is_file() else None
    except (OSError, RuntimeError):  # for example, a title too long for a file name
        return None


def _frames(model: "Model", file: Path) -> "NDArray[Any]":
    """Read the song in a file and encode it as frames of the model."""
    from engine.analysis import song_input
    from engine.data.codecs import KeysCodec
    from engine.sampling.music import read_prompt

    codec = model.codec
    if isinstance(codec, KeysCodec):
        prompt = read_prompt(codec, file)
        assert prompt.roll is not None
        return codec.encode(prompt.roll)
    try:
        text = file.read_text(encoding="utf-8-sig").replace("\r\n", "\n").strip()
    except (OSError, ValueError) as error:
        raise InputError(
            f"Cannot read {file} as UTF-8 text ({error}): name another file."
        ) from error
    if not text:
        raise InputError(f"{file} is empty: name a file with a song.")
    if len(text) > song_input.MAX_LENGTH:
        output.echo(
            f"{file} has {len(text):,} characters: only the first {song_input.MAX_LENGTH:,} are "
            "read.",
            err=True,
        )
        text = text[: song_input.MAX_LENGTH]
    if unknown := codec.unknown_characters(text):
        shown = ", ".join(map(repr, unknown[:10]))
        output.echo(
            f"{model.name} was not trained on these characters, which are read as unknown: "
            f"{shown}.",
            err=True,
        )
    return codec.encode(text)
