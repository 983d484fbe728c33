"""Write english.jsonl: modern English, on which the lyrics model is pre-trained.

    python -m assets.make.english FOLDER OUTPUT.jsonl

FOLDER has the files that `SOURCES` names: UTF-8 compressed by xz, with a line of one form feed
between two documents; and `songs_modern.jsonl`, with an object for each song, of which `text` is
used. None of the texts is part of this project; `SOURCES` and the model's card name their origins
and licences. Prose is cut into lines and verses as long as those of songs. A source takes the place
of an artist, so that the network can distinguish poems from conversation. The training songs of
`originals` are included. They and other texts that are most like songs are included twice.
"""

import argparse
import csv
import json
import lzma
import random
import re
import textwrap
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO

from engine import paths

MIN_LINE, MAX_LINE = 18, 48  # characters; only the last line of a sentence may be shorter
VERSE_LINES = 4  # prose: minimum number of lines of a verse
SONG_LENGTH = 2500  # characters: a longer document is cut at the next empty line
MIN_LENGTH = 60  # characters of a text that is not left out
SENTENCES = 40  # sentences without context in a song
_MARK = re.compile(
    r"\s*[\[(](?:verse|chorus|bridge|intro|outro|hook|pre-chorus)[^\])]*[\])]\s*", re.I
)
_NOT_TEXT = re.compile(r"\[Illustration[^\]]*\]|\[\d+\]|[_*|~^<>{}\\]")
_TYPED = str.maketrans(
    {
        "“": '"',
        "”": '"',
        "„": '"',
        "‘": "'",
        "’": "'",
        "`": "'",
        "—": " - ",
        "–": "-",
        "…": "...",
        "æ": "ae",
        "œ": "oe",
        "Æ": "Ae",
        "\t": " ",
    }
)


@dataclass(frozen=True)
class Source:
    """One file of English."""

    file: str
    form: Literal["songs", "prose", "talk", "sentences"]
    origin: str
    licence: str
    twice: bool = False  # read a second time, without the name of the source
    share: float = 1.0  # of the documents, chosen at random


SOURCES = {
    "songs": Source(
        "songs_modern.jsonl",
        "songs",
        "songs and poems of 1860 to 2025, see its `source`",
        "public domain, CC0, CC BY, MIT",
        twice=True,
    ),
    "stories": Source("tinystories.txt.xz", "prose", "TinyStories", "CDLA-Sharing-1.0", twice=True),
    "sentences": Source("tatoeba_english.txt.xz", "sentences", "Tatoeba", "CC BY 2.0 FR"),
    "read aloud": Source("common_voice.txt.xz", "sentences", "Mozilla Common Voice", "CC0"),
    "talk": Source(
        "self_dialogue.txt.xz", "talk", "Self-dialogue corpus", "BSD-3-Clause", share=0.2
    ),
    "chat": Source("chitchat.txt.xz", "talk", "Chit-chat data set", "MIT"),
    "fables": Source("african_storybook.txt.xz", "prose", "African Storybook", "CC BY"),
    "children": Source("storyweaver.txt.xz", "prose", "StoryWeaver", "CC BY 4.0"),
    "novels": Source(
        "gutenberg_sf_1950s.txt.xz",
        "prose",
        "Project Gutenberg, stories of the 1950s",
        "public domain",
        share=0.5,
    ),
    "books": Source(
        "gutenberg_children.txt.xz",
        "prose",
        "Project Gutenberg, children's books",
        "public domain",
        share=0.1,
    ),
}


def clean(text: str) -> str:
    """Return the text in printable ASCII, without editorial signs and trailing blanks."""
    text = unicodedata.normalize("NFKD", text.translate(_TYPED))
    text = _NOT_TEXT.sub("", text.encode("ascii", "ignore").decode())
    return "\n".join(re.sub(r" {2,}", " ", line).strip() for line in text.splitlines())


def split_lines(text: str) -> list[str]:
    """Split a paragraph at its punctuation into lines about as long as those of songs."""
    text = re.sub(r"\s+([,:;.?!])", r"\1", " ".join(text.split()))
    lines = [""]
    for part in re.split(
        r"(?<!\bMr.)(?<!\bMrs.)(?<!\bDr.)(?<!\bSt.)(?<=[,:;.?!])\s+|(?<=[,:;.?!]\")\s+", text
    ):
        if len(lines[-1]) >= MIN_LINE or lines[-1].endswith((".", "?", "!", '."', '?"', '!"')):
            lines.append("")
        lines[-1] = f"{lines[-1]} {part}".strip()
    return [row for line in lines for row in wrap_evenly(line)]


def wrap_evenly(line: str) -> list[str]:
    """Wrap a line into as few rows as MAX_LINE needs, of about the same length."""
    rows = textwrap.wrap(line, MAX_LINE)
    width = min(MAX_LINE, len(line) // max(1, len(rows)) + 8)
    even = textwrap.wrap(line, width)
    return even if len(even) == len(rows) else rows


def prose(document: str) -> Iterator[str]:
    """Yield the verses of a document in prose: its paragraphs, short ones joined."""
    verse: list[str] = []
    for paragraph in re.split(r"\n\s*\n", document):
        verse += split_lines(paragraph)
        if len(verse) >= VERSE_LINES:
            yield "\n".join(verse)
            verse = []
    if verse:
        yield "\n".join(verse)


def join_verses(verses: Iterator[str]) -> Iterator[str]:
    """Yield texts of about SONG_LENGTH characters from verses."""
    song: list[str] = []
    for verse in verses:
        song.append(verse)
        if sum(map(len, song)) >= SONG_LENGTH:
            yield "\n\n".join(song)
            song = []
    if song:
        yield "\n\n".join(song)


def documents(path: Path) -> Iterator[str]:
    """Yield the documents of a file: texts between form feeds, or the texts of a .jsonl file."""
    if path.suffix == ".jsonl":
        for line in path.read_text(encoding="utf-8").splitlines():
            yield _MARK.sub("\n\n", json.loads(line)["text"])
    else:
        with lzma.open(path, "rt", encoding="utf-8") as file:
            yield from file.read().split("\n\f\n")


def songs(source: Source, folder: Path, chance: random.Random) -> Iterator[str]:
    """Yield the texts of a source, cut as songs are."""
    texts = [clean(text).strip() for text in documents(folder / source.file)]
    if source.form == "sentences":
        lines = [line for text in texts for line in text.splitlines() if 8 <= len(line) <= MAX_LINE]
        chance.shuffle(lines)
        starts = range(0, len(lines), SENTENCES)
        yield from ("\n".join(lines[start : start + SENTENCES]) for start in starts)
        return
    for text in texts:
        if chance.random() >= source.share:
            continue
        if source.form == "talk":
            rows = [row for line in text.splitlines() for row in split_lines(line)]
            yield "\n".join(rows)
        else:
            verses = prose(text) if source.form == "prose" else iter(re.split(r"\n{2,}", text))
            yield from join_verses(verses)


def own_songs() -> Iterator[tuple[str, str]]:
    """Yield the artist and the text of each training song of `originals`."""
    with (paths.assets() / "corpora/originals.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["split"] == "train":
                yield row["artist"], row["text"]


def main() -> None:
    """Write english.jsonl from a folder of sources."""
    parser = argparse.ArgumentParser(
        prog="python -m assets.make.english",
        description="Cut English texts into lines and verses, and write them as one JSONL file.",
    )
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="folder of the sources")
    parser.add_argument("output", metavar="OUTPUT.jsonl", type=Path, help="file to write")
    options = parser.parse_args()
    chance = random.Random(0)
    with options.output.open("w", encoding="utf-8") as file:
        own = write(file, own_songs(), twice=True)
        print(f"songs of this project: {own:,} characters")
        for name, source in SOURCES.items():
            texts = ((name, text) for text in songs(source, options.folder, chance))
            characters = write(file, texts, twice=source.twice)
            print(f"{name}: {characters:,} characters")


def write(file: TextIO, texts: Iterator[tuple[str, str]], *, twice: bool) -> int:
    """Write (artist, text) pairs that are long enough; return the number of characters written."""
    characters = 0
    for artist, text in texts:
        if len(text) >= MIN_LENGTH:
            for name in (artist, "")[: 1 + twice]:
                print(json.dumps({"artist": name, "text": text}), file=file)
                characters += len(text)
    return characters


if __name__ == "__main__":
    main()
