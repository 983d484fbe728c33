"""Music saved as its file's name says: `python -m engine.music.export`, one request on stdin.

A process of its own, since sound takes seconds to make and one who watches must not notice. The
request is a JSON object as `request` gives it; what is wrong is said in a sentence on stderr, with
exit status 2.
"""

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from engine import files
from engine.errors import InputError
from engine.music.score import Note, Score

ENDINGS = (".mid", ".wav", ".png")


def save(score: Score, path: Path, frame: float) -> None:
    """Write MIDI, sound or a picture of frames of so many seconds, whole or not at all.

    Raises InputError for a name with another ending and for what cannot be written.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise InputError(f"{path.name} ends in none of {', '.join(ENDINGS)}: add one of them.")
    try:
        with files.explain_write_errors(path):
            if ending == ".mid":
                from engine.music import midi

                midi.write(score, path)
            elif ending == ".wav":
                from engine.music import wav

                wav.render(score, path)
            else:
                from engine.music import piano_roll, roll_image

                roll_image.write([piano_roll.from_score(score, frame)], path)
    except OSError as error:
        raise InputError(f"Cannot write {path} ({error.strerror}): choose another place.") from None


def request(score: Score, path: Path, frame: float) -> dict[str, Any]:
    """What to ask the process."""
    values = dataclasses.asdict(score)
    del values["left_out"]
    values["notes"] = [dataclasses.astuple(note) for note in score.notes]
    return {"score": values, "path": str(path), "frame": frame}


def main() -> int:
    """Do what is asked on stdin."""
    values = json.load(sys.stdin)
    fields = values["score"]
    notes = tuple(Note(*note) for note in fields.pop("notes"))
    metre = tuple(fields.pop("metre"))
    changes = tuple((second, tempo) for second, tempo in fields.pop("changes"))
    score = Score(notes, metre=metre, changes=changes, **fields)
    try:
        save(score, Path(values["path"]), values["frame"])
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
