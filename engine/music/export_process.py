"""The process that saves a score as a MIDI, MusicXML, ABC, WAV or PNG file, for the Music page.

`python -m engine.music.export_process` is a process of its own, because rendering sound takes
seconds and the app must stay responsive. It reads one `ExportRequest` as JSON from stdin. On an
error it prints one sentence to stderr and exits with status 2.
"""

import dataclasses
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from engine import files
from engine.errors import InputError
from engine.music.score import Note, Score

ENDINGS = (".mid", ".musicxml", ".mxl", ".abc", ".wav", ".png")


def save(score: Score, path: Path, frame_seconds: float) -> None:
    """Write a score to `path`, complete or not at all; its ending chooses the format.

    frame_seconds: length of a frame of the piano roll in an image. Raises InputError for a path
    that does not end in one of ENDINGS, or that cannot be written.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise InputError(
            f"{path.name} has none of the endings {', '.join(ENDINGS)}: add one of them."
        )
    try:
        with files.explain_write_errors(path):
            if ending == ".wav":
                from engine.music import wav_file

                wav_file.write(score, path)
            elif ending == ".png":
                from engine.music import piano_roll, roll_image

                roll_image.write([piano_roll.from_score(score, frame_seconds)], path)
            else:
                from engine.music import score_file

                score_file.write(score, path)
    except OSError as error:
        raise InputError(f"Cannot write {path} ({error.strerror}): choose another path.") from None


@dataclass(frozen=True)
class ExportRequest:
    """The arguments of `save`, which the process reads from stdin."""

    score: Score
    path: Path
    frame_seconds: float

    def encode(self) -> str:
        """Return the request as a JSON object, without the score's `left_out`."""
        score = dataclasses.asdict(self.score)
        del score["left_out"]
        score["notes"] = [dataclasses.astuple(note) for note in self.score.notes]
        return json.dumps({"score": score, "path": str(self.path), "frame": self.frame_seconds})

    @classmethod
    def decode(cls, text: str | bytes) -> "ExportRequest":
        """Parse the result of `encode`."""
        values = json.loads(text)
        score = values["score"]
        score["notes"] = tuple(Note(*note) for note in score["notes"])
        score["time_signature"] = tuple(score["time_signature"])
        score["tempo_changes"] = tuple(map(tuple, score["tempo_changes"]))
        return cls(Score(**score), Path(values["path"]), values["frame"])


def main() -> int:
    """Carry out the request on stdin; returns the exit status."""
    request = ExportRequest.decode(sys.stdin.read())
    try:
        save(request.score, request.path, request.frame_seconds)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
