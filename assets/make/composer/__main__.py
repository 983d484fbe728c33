"""Write the pieces and their README: `python -m assets.make.composer [FOLDER] [TITLE …]`."""

import sys
from pathlib import Path

from assets.make.composer.form import compose
from assets.make.composer.pieces import PIECES, SEED
from assets.make.composer.styles import STYLES
from engine import files
from engine.music import midi

FOLDER = Path(__file__).parents[2] / "assets/corpora/pieces"
_HEAD = f"""# Piano pieces that come with the program

{len(PIECES)} short pieces for piano, a melody and its accompaniment each, composed for this project
by the rules in assets/make/composer (`python -m assets.make.composer` writes the same files again,
from seed {SEED}) and given to the public domain under
[CC0 1.0](https://creativecommons.org/publicdomain/zero/1.0/).
`--data pieces` is their name; the folders are the split. Of a form, * is a theme embellished, and ^
an octave up.

| file | title | style | mood | key | metre | ♩ | form | s |
|---|---|---|---|---|---|---|---|---|
"""


def split(number: int) -> str:
    """The split of a piece by its number: one of six is held back, of all styles."""
    return {5: "valid", 11: "test"}.get(number % 12, "train")


def name(title: str) -> str:
    """A title as a file's name."""
    return "-".join("".join(c for c in title.lower() if c.isalnum() or c == " ").split()) + ".mid"


def main() -> None:
    """Write all pieces, or those of the titles given."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    rows = []
    for number, piece in enumerate(PIECES):
        if len(sys.argv) > 2 and piece.title not in sys.argv[2:]:
            continue
        score, form = compose(piece)
        file = f"{split(number)}/{name(piece.title)}"
        midi.write(score, folder / file)
        metre = "{}/{}".format(*STYLES[piece.style].metre)
        rows.append(
            f"| {file} | {piece.title} | {piece.style} | {piece.mood} | {piece.key} | {metre} "
            f"| {score.tempo:.0f} | {form} | {score.end:.0f} |"
        )
    files.write_atomic(folder / "README.md", _HEAD + "\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
