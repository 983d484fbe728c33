"""Write the included piano pieces and their README: `python -m assets.make.composer`."""

import argparse
from pathlib import Path

from assets.make.composer.form import compose
from assets.make.composer.pieces import PIECES, SEED
from assets.make.composer.styles import STYLES
from engine import files, paths
from engine.music import midi

_HEAD = f"""# Piano pieces

{len(PIECES)} short pieces for piano, a melody with accompaniment each, composed for this project by
the rules in `assets/make/composer` and dedicated to the public domain under
[CC0 1.0](https://creativecommons.org/publicdomain/zero/1.0/).
`python -m assets.make.composer` writes the same files again, from seed {SEED}. As a data set they
are called `pieces`; the folders are its split. In a form, * is an embellished theme and ^ a theme
an octave higher.

| file | title | style | mood | key | metre | ♩ | form | s |
|---|---|---|---|---|---|---|---|---|
"""


def split(number: int) -> str:
    """Return the split of piece number `number`: one in six is held out, in all styles."""
    return {5: "valid", 11: "test"}.get(number % 12, "train")


def file_name(title: str) -> str:
    """Return the file name of the piece with a title."""
    return "-".join("".join(c for c in title.lower() if c.isalnum() or c == " ").split()) + ".mid"


def main() -> None:
    """Write all pieces, or those whose titles are arguments, and their README."""
    parser = argparse.ArgumentParser(
        prog="python -m assets.make.composer",
        description="Compose the piano pieces and write them as MIDI files, with a README.",
    )
    parser.add_argument(
        "folder",
        metavar="FOLDER",
        type=Path,
        nargs="?",
        default=paths.assets() / "corpora/pieces",
        help="where to write (default assets/corpora/pieces)",
    )
    parser.add_argument("titles", metavar="TITLE", nargs="*", help="write these pieces only")
    arguments = parser.parse_args()
    rows = []
    for number, piece in enumerate(PIECES):
        if arguments.titles and piece.title not in arguments.titles:
            continue
        score, form = compose(piece)
        file = f"{split(number)}/{file_name(piece.title)}"
        midi.write(score, arguments.folder / file)
        time_signature = "{}/{}".format(*STYLES[piece.style].time_signature)
        rows.append(
            f"| {file} | {piece.title} | {piece.style} | {piece.mood} | {piece.key} "
            f"| {time_signature} | {score.tempo:.0f} | {form} | {score.end:.0f} |"
        )
    files.write_atomic(arguments.folder / "README.md", _HEAD + "\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
