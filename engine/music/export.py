"""Save music as MIDI, sound or a picture, chosen by the file's ending.

`python -m engine.music.export` does it in a process of its own, since rendering sound takes
seconds and the app must stay responsive: it reads one `ExportRequest` as JSON from stdin. An error
is one sentence on stderr, with exit status 2.
"""

import dataclasses
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from engine import files
from engine.errors import InputError
from engine.music.score import Note, Score

ENDINGS = (".mid", ".wav", ".png")


def save(score: Score, path: Path, frame_seconds: float) -> None:
    """Write a score to `path`, whole or not at all.

    frame_seconds: length of a frame in a picture. Raises InputError for a path with another ending
    and for one that cannot be written.
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

                wav.write(score, path)
            else:
                from engine.music import piano_roll, roll_image

                roll_image.write([piano_roll.from_score(score, frame_seconds)], path)
    except OSError as error:
        raise InputError(f"Cannot write {path} ({error.strerror}): choose another place.") from None


@dataclass(frozen=True)
class ExportRequest:
    """The arguments of `save`, as the process reads them from stdin."""

    score: Score
    path: Path
    frame_seconds: float

    def encode(self) -> str:
        """Return the request as a JSON object; `Score.left_out` is not part of it."""
        score = dataclasses.asdict(self.score)
        del score["left_out"]
        score["notes"] = [dataclasses.astuple(note) for note in self.score.notes]
        return json.dumps({"score": score, "path": str(self.path), "frame": self.frame_seconds})

    @classmethod
    def decode(cls, text: str | bytes) -> "ExportRequest":
        """Return the request that `encode` wrote."""
        values = json.loads(text)
        score = values["score"]
        score["notes"] = tuple(Note(*note) for note in score["notes"])
        score["time_signature"] = tuple(score["time_signature"])
        score["tempo_changes"] = tuple(map(tuple, score["tempo_changes"]))
        return cls(Score(**score), Path(values["path"]), values["frame"])


def main() -> int:
    """Serve the request on stdin."""
    request = ExportRequest.decode(sys.stdin.read())
    try:
        save(request.score, request.path, request.frame_seconds)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
