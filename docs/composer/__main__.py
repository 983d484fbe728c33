"""Write the pieces, and the table of them: `python -m docs.composer [FOLDER]`."""

import re
import shutil
import sys
from pathlib import Path

from docs.composer.forms import Piece, compose
from docs.composer.styles import STYLES
from engine.music import midi

FOLDER = Path(__file__).parents[2] / "assets" / "corpora" / "pieces"
HEAD = """# Piano pieces that come with the program

{count} short pieces, written for this project by the small rule-based composer in `docs/composer`
(`python -m docs.composer` writes them again, to the same bytes) and given to the public domain
under [CC0 1.0](https://creativecommons.org/publicdomain/zero/1.0/). No theme is taken from
anywhere.

| file | title | style | key | metre | tempo | seconds | mood |
|---|---|---|---|---|---|---|---|
"""


def pieces() -> list[tuple[Path, Piece]]:
    """All of them, each with its path below the folder; every sixth is held out."""
    found = []
    for row, style in enumerate(STYLES):
        for number in range(4):
            piece = compose(style, number)
            place = 4 * row + number
            split = {5: "valid", 11: "test"}.get(place % 12, "train")
            name = re.sub(r"[^a-z0-9]+", "-", piece.title.lower()).strip("-")
            found.append((Path(split) / f"{place + 1:03}-{name}.mid", piece))
    return found


def write(folder: Path) -> None:
    """Write the files and their table into an empty or a former folder of pieces."""
    for split in ("train", "valid", "test"):
        shutil.rmtree(folder / split, ignore_errors=True)
        (folder / split).mkdir(parents=True)
    made = pieces()
    rows = []
    for path, piece in made:
        score = piece.score
        midi.write(score, folder / path)
        rows.append(
            f"| {path} | {piece.title} | {piece.style} | {piece.key} "
            f"| {score.metre[0]}/{score.metre[1]} | {score.tempo:.0f} | {score.end:.0f} "
            f"| {piece.mood} |\n"
        )
    text = HEAD.format(count=len(made)) + "".join(rows)
    (folder / "README.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
