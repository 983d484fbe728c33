"""Puts a trained run into assets/models, with its card: `python -m assets.make.bundle MODEL RUN`.

MODEL is one of those below, RUN the run that their commands trained. The weights are stored in
half precision; the card's scores are those of the stored ones, and what its commands print.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from engine import paths
from engine.data.datasets import DATASETS
from engine.runs import event_log, run_dir
from engine.runs.events import Evaluated

ROWS = 12  # of the training curve
TEMPERATURES = ("0.5", "0.8", "1.0")


@dataclass(frozen=True)
class Bundled:
    """What the card says that the run does not know."""

    about: str
    source: str  # the data set's name
    commands: tuple[str, ...]
    licence: str
    limits: str


MODELS = {
    "lyrics": Bundled(
        about="Songs in the manner of twelve invented artists, or of nobody.",
        source="originals",
        commands=(
            "python -m assets.make.english .",
            "rnn-tui train lyrics --data english.csv --preset english --run english",
            "rnn-tui train lyrics --data originals --preset lyrics --set train.init_from=english "
            "--run verses",
        ),
        licence="CC0, as the songs. It first read the King James Bible, the World English Bible, "
        "Jane Austen's novels and Shakespeare's sonnets, which are in the public domain.",
        limits="It has read 240 songs and some old books: it spells, it keeps an artist's lines, "
        "words and turns, and choruses come again, but it does not mean what it says. --guidance 2 "
        "brings an artist out more clearly, --memory below 1 has it repeat itself less.",
    ),
    "folk": Bundled(
        about="British and American folk tunes with chords.",
        source="nottingham",
        commands=(
            "rnn-tui data fetch nottingham",
            "rnn-tui train music --data nottingham --preset tunes --run reels",
        ),
        licence="CC0 for the weights; the tunes, which are not part of it, come without a licence.",
        limits="All its tunes were moved to C major or A minor, so that is where it writes. It "
        "does not tell a held note from a repeated one. Where it recalls its own bars it repeats "
        "them whole, as the tunes do; --memory below 1 makes it wander.",
    ),
    "chorales": Bundled(
        about="Four voices in the manner of Bach's chorales, in frames of a quarter note.",
        source="jsb-chorales",
        commands=(
            "rnn-tui data fetch jsb-chorales",
            "rnn-tui train music --data jsb-chorales --preset chorales --run hymns",
        ),
        licence="CC0 for the weights; the chorales' edition, which is not part of it, comes "
        "without a licence.",
        limits="It has heard 229 chorales, moved to C major or A minor, in quarter notes only. It "
        "does not tell a held note from a repeated one, and it does not know when to end. As the "
        "rolls do, it writes an octave above where choirs sing.",
    ),
}


def words(*command: str) -> str:
    """What `rnn-tui` prints, run as on the card."""
    asked = [sys.executable, "-m", "tui.cli", *command]
    done = subprocess.run(asked, check=True, capture_output=True, text=True)
    return (done.stdout + done.stderr).strip("\n")


def store(run: run_dir.RunDir, name: str, bundled: Bundled, folder: Path) -> None:
    """Write the weights in half precision, and what is known of them."""
    folder.mkdir(parents=True, exist_ok=True)
    best = run.checkpoints / "best"
    tensors = load_file(best / "model.safetensors")
    half = {key: values.astype(np.float16) for key, values in tensors.items()}
    save_file(half, folder / "model.safetensors")
    (folder / "model.safetensors").chmod(0o644)  # as git keeps it
    meta = json.loads((best / "meta.json").read_text(encoding="utf-8"))
    meta["data"]["source"] = bundled.source
    meta["corpus"]["name"] = bundled.source
    write_meta(folder, meta)
    for split in ("valid", "test"):
        score = json.loads(words("eval", "--model", name, "--split", split, "--json"))
        meta["scores"][split] = (
            {"loss": score["value"], "bits": score["value"] / np.log(2)}
            if meta["kind"] == "music"
            else {"loss": score["value"] * np.log(2), "bits": score["value"]}
        )
    write_meta(folder, meta)


def write_meta(folder: Path, meta: dict[str, object]) -> None:
    """Write meta.json."""
    text = json.dumps(meta, indent=1, ensure_ascii=False)
    (folder / "meta.json").write_text(text + "\n", encoding="utf-8")


def curve(run: run_dir.RunDir, unit: str) -> str:
    """The validation scores as a table, of at most so many rows."""
    looks = [
        event for event in event_log.EventReader(run.events).poll() if isinstance(event, Evaluated)
    ]
    every = -(-len(looks) // ROWS)
    shown = looks[every - 1 :: every]
    rows = [
        f"| {look.step:,} | {look.bits if unit.startswith('bits') else look.loss:.4f} |"
        for look in shown
    ]
    return "\n".join((f"| step | {unit}, validation |", "|---|---|", *rows))


def scores(name: str) -> str:
    """The lines of `eval`."""
    parts = []
    for split in ("valid", "test"):
        command = ("eval", "--model", name, "--split", split)
        parts.append(f"    $ rnn-tui {' '.join(command)}\n" + indented(words(*command)))
    return "\n".join(parts)


def indented(text: str) -> str:
    """As a block of code in Markdown."""
    return "\n".join(f"    {line}".rstrip() for line in text.splitlines())


def samples(name: str, kind: str, conditions: list[str], folder: Path) -> str:
    """Songs at three temperatures, as text or as pictures of rolls."""
    parts = []
    for place, temperature in enumerate(TEMPERATURES):
        command = ["sample", kind, "--model", name, "--temperature", temperature, "--seed", "1"]
        if kind == "lyrics":
            artist = conditions[place * 5 % len(conditions)]
            command += ["--prime", "Why", "--artist", artist, "--length", "600", "--novelty"]
            shown = [f'"{word}"' if " " in word else word for word in command]
            parts.append(f"    $ rnn-tui {' '.join(shown)}\n{indented(words(*command))}")
        else:
            picture = f"roll-{temperature}.png"
            command += ["--length", "160", "--png", picture]
            words(*command[:-1], str(folder / picture))
            parts.append(
                f"    $ rnn-tui {' '.join(command)}\n\n![temperature {temperature}]({picture})"
            )
    return "\n\n".join(parts)


def card(name: str, bundled: Bundled, run: run_dir.RunDir, folder: Path) -> str:
    """The card, in Markdown."""
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    dataset = DATASETS[bundled.source]
    unit = "bits a character" if meta["kind"] == "lyrics" else "nats a frame"
    size = (folder / "model.safetensors").stat().st_size / 1e6
    commands = "\n".join(f"    {line}" for line in bundled.commands)
    return f"""# {name}

{bundled.about} {run.config().model.words}, {meta["parameters"]:,} parameters, {size:.1f} MB.

## Data and licence

`{dataset.name}`: {dataset.about}. Licence of the data: {dataset.license}. Licence of the model:
{bundled.licence}

## Made by

{commands}

The checkpoint of step {meta["step"]:,}, the best by its validation score; the weights are stored in
half precision.

## Training curve

{curve(run, unit)}

## Scores

{scores(name)}

## Samples

{samples(name, meta["kind"], meta["conditions"], folder)}

## Limits

{bundled.limits}
"""


def main(name: str, run_name: str) -> None:
    """Put it there."""
    bundled, run = MODELS[name], run_dir.find(run_name)
    folder = paths.assets() / "models" / name
    store(run, name, bundled, folder)
    (folder / "card.md").write_text(card(name, bundled, run, folder), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
