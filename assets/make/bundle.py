"""Copy a trained run to assets/models with its card: `python -m assets.make.bundle MODEL RUN`.

MODEL is a key of `MODELS`, RUN the run that its commands trained. The files are model.safetensors
in half precision, meta.json with the scores of these weights, card.md, and for music pictures of
its samples. The commands that the card shows are run, and the card includes their output.
"""

import argparse
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from assets.make.english import SOURCES
from engine import files, paths
from engine.data.datasets import DATASETS
from engine.data.words import FILE as WORDS
from engine.runs import run_dir
from engine.runs.event_log import EventReader
from engine.runs.events import Evaluated
from engine.runs.run_dir import RunDir

CURVE_ROWS = 12  # at most
MODEL_FILES = ("meta.json", "model.safetensors", WORDS)
TEMPERATURES = ("0.5", "0.8", "1.0")


@dataclass(frozen=True)
class CardText:
    """The parts of a model's card that are written by hand."""

    about: str
    source: str  # name of the data set, or of the file that the commands make
    commands: tuple[str, ...]
    licence: str
    limits: str
    data: str = ""  # where the songs come from, in Markdown; "": `source` is a data set


def english_data() -> str:
    """Describe the texts of the model `english`, with their licences, in Markdown."""
    rows = [f"| {name} | {source.origin} | {source.licence} |" for name, source in SOURCES.items()]
    table = "\n".join(("| source | from | licence |", "|---|---|---|", *rows))
    return f"`english.jsonl`, which `assets/make/english.py` cuts from:\n\n{table}\n\n"


MODELS = {
    "lyrics": CardText(
        about="Song lyrics in the styles of twelve invented artists, or with no artist.",
        source="originals",
        commands=("rnn-tui train lyrics --data originals --preset lyrics --run verses",),
        licence="CC0, like the songs. It started from the included model `english`, whose card "
        "names the texts that it has read.",
        limits="Many single lines make sense; a song as a whole has no story. `--guidance 2` makes "
        "the artist's style stronger; `--raw` shows what the network writes without the help of "
        "candidates, known words and a form.",
    ),
    "english": CardText(
        about="Simple modern English in lines and verses: the model from which runs on few songs "
        "of lyrics start (`train.init_from`). It can also be sampled.",
        source="english.jsonl",
        commands=(
            "python -m assets.make.english FOLDER english.jsonl",
            "rnn-tui train lyrics --data english.jsonl --preset english --run base",
        ),
        licence="CC BY 4.0, for the sources that ask to be named.",
        limits="An intermediate state: it took 2,012 steps on an earlier mix of the same sources "
        "and then 750 steps on this one, whose share of `originals` had 1,424 songs then; it still "
        "learned 0.02 bits in 250 steps when it was stored. It has read no songs of the last fifty "
        "years beyond those of this project and a few dozen free ones.",
        data=english_data(),
    ),
    "folk": CardText(
        about="British and American folk tunes in 4/4, with chords.",
        source="tunes.zip",
        commands=(
            "rnn-tui data fetch nottingham-midi",
            "python -m assets.make.tunes Nottingham.zip tunes.zip",
            "rnn-tui train music --data tunes.zip --preset tunes --set data.frame_beats=0.5 "
            "--set train.steps=800 --run reels",
        ),
        licence="CC0 for the weights; the tunes, which are not included, have no stated licence.",
        limits="Frames are eighth notes. It read 315 tunes, all moved to C major or A minor, so it "
        "writes in these keys only, and in 4/4 only. Its chords change at bar lines and are often "
        "those of C major; the parts of a tune do not grow out of each other.",
        data="`tunes.zip`, which `assets/make/tunes.py` makes of the tunes in 4/4 of "
        "`nottingham-midi` (1,037 British and American folk tunes with chords). Licence of the "
        f"data: {DATASETS['nottingham-midi'].license}.",
    ),
    "chorales": CardText(
        about="Four-part music in the style of Bach's chorales, in frames of a quarter note.",
        source="jsb-chorales",
        commands=(
            "rnn-tui data fetch jsb-chorales",
            "rnn-tui train music --data jsb-chorales --preset chorales --run hymns",
        ),
        licence="CC0 for the weights; the edition of the chorales, which is not included, has no "
        "stated licence.",
        limits="Trained on 229 chorales. All were moved to C major or C minor (a key finder takes "
        "171 for C major, 133 for C minor, 54 for G major or minor, 4 for A minor and 20 for "
        "others). Frames are quarter notes, so it writes no passing eighths. It does not "
        "distinguish held from repeated notes. The piano rolls are an octave above a choir's "
        "range, so it was trained on them an octave lower.",
    ),
    "piano": CardText(
        about="Piano music as it accompanies songs of the 19th century, in frames of a sixteenth "
        "note, with repeated notes.",
        source="lieder",
        commands=(
            "rnn-tui data fetch lieder",
            "rnn-tui train music --data lieder --preset piano --run songs",
            "rnn-tui train music --data lieder --preset piano --set train.init_from=songs "
            "--set train.steps=1300 --set train.lr=5e-3 --set train.warmup=30 --run "
            "accompaniments",
            "rnn-tui train music --data lieder --preset piano --set train.init_from=accompaniments "
            "--set train.steps=2600 --set train.lr=4e-3 --set train.warmup=30 --run "
            "more-accompaniments",
        ),
        licence="CC0, like the songs (OpenScore Lieder Corpus, github.com/OpenScore/Lieder).",
        limits="It read its 1,026 training songs eight times. It has learned textures, cadences "
        "and endings better than keys: pieces wander from key to key, and themes do not return. "
        "Songs with triplets, 319 of 1,460, were left out, so it writes none. The temperature 1 is "
        "the best one: below 0.9 it falls into long silences.",
    ),
}


def run_command(*arguments: str) -> str:
    """Run `rnn-tui` and return what it prints."""
    command = [sys.executable, "-m", "tui.cli", *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return (done.stdout + done.stderr).strip("\n")


def store(run: RunDir, name: str, text: CardText, folder: Path) -> None:
    """Write a run's best weights in half precision, and meta.json with the scores of these.

    name: of the model; folder: its folder in assets/models.
    """
    folder.mkdir(parents=True, exist_ok=True)
    best = run.checkpoints / "best"
    tensors = load_file(best / "model.safetensors")
    half = {key: values.astype(np.float16) for key, values in tensors.items()}
    save_file(half, folder / "model.safetensors")
    (folder / "model.safetensors").chmod(0o644)  # the mode that git stores
    meta = json.loads((best / "meta.json").read_text(encoding="utf-8"))
    meta["data"]["source"] = text.source
    meta["corpus"]["name"] = text.source.partition(".")[0]
    if (best / WORDS).exists():
        shutil.copyfile(best / WORDS, folder / WORDS)
    write_meta(folder, meta)  # read by the command that scores the model
    for split in ("valid", "test"):
        score = json.loads(run_command("eval", "--model", name, "--split", split, "--json"))
        meta["scores"][split] = (
            {"loss": score["value"], "bits": score["value"] / np.log(2)}
            if meta["kind"] == "music"
            else {"loss": score["value"] * np.log(2), "bits": score["value"]}
        )
    write_meta(folder, meta)


def write_meta(folder: Path, meta: dict[str, object]) -> None:
    """Write meta.json, and the checksums of the model's files."""
    text = json.dumps(meta, indent=1, ensure_ascii=False)
    (folder / "meta.json").write_text(text + "\n", encoding="utf-8")
    files.write_checksums(folder, MODEL_FILES)


def curve(run: RunDir, unit: str) -> str:
    """Return a run's validation scores in `unit` as a Markdown table of up to `CURVE_ROWS` rows."""
    scores = [event for event in EventReader(run.events).poll() if isinstance(event, Evaluated)]
    stride = -(-len(scores) // CURVE_ROWS)
    rows = [
        f"| {score.step:,} | {score.bits if unit.startswith('bits') else score.loss:.4f} |"
        for score in scores[stride - 1 :: stride]
    ]
    return "\n".join((f"| step | {unit}, validation |", "|---|---|", *rows))


def evaluations(name: str) -> str:
    """Run the commands that score the model; return them and their output in Markdown."""
    blocks = []
    for split in ("valid", "test"):
        command = ("eval", "--model", name, "--split", split)
        output = indent(run_command(*command))
        blocks.append(f"    $ rnn-tui {' '.join(command)}\n{output}")
    return "\n".join(blocks)


def indent(text: str) -> str:
    """Indent a text as a code block in Markdown."""
    return "\n".join(f"    {line}".rstrip() for line in text.splitlines())


def samples(name: str, kind: str, conditions: list[str], folder: Path) -> str:
    """Run commands that write songs at three temperatures; return them and the songs in Markdown.

    conditions: the model's artists; each song of lyrics is in the style of a different one. Music
    is drawn as pictures in `folder`.
    """
    blocks = []
    for i, temperature in enumerate(TEMPERATURES):
        command = ["sample", kind, "--model", name, "--temperature", temperature, "--seed", "1"]
        if kind == "lyrics":
            artist = conditions[i * 5 % len(conditions)]
            command += ["--prime", "Why", "--artist", artist, "--length", "600", "--novelty"]
            quoted = [f'"{word}"' if " " in word else word for word in command]
            blocks.append(f"    $ rnn-tui {' '.join(quoted)}\n{indent(run_command(*command))}")
        else:
            picture = f"roll-{temperature}.png"
            command += ["--png", picture]
            run_command(*command[:-1], str(folder / picture))
            blocks.append(
                f"    $ rnn-tui {' '.join(command)}\n\n![temperature {temperature}]({picture})"
            )
    return "\n\n".join(blocks)


def card(name: str, text: CardText, run: RunDir, folder: Path) -> str:
    """Return the card of a model in Markdown; `store` must have written its files."""
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    unit = "bits a character" if meta["kind"] == "lyrics" else "nats a frame"
    size = (folder / "model.safetensors").stat().st_size / 1e6
    commands = "\n".join(f"    {line}" for line in text.commands)
    return f"""# {name}

{text.about} {run.config().model.words}, {meta["parameters"]:,} parameters, {size:.1f} MB.

## Data and licence

{data(text)} Licence of the model: {text.licence}

## Made by

{commands}

The checkpoint of step {meta["step"]:,}, which has the best validation score; its weights are stored
in half precision.

## Training curve

{curve(run, unit)}

## Scores

{evaluations(name)}

## Samples

{samples(name, meta["kind"], meta["conditions"], folder)}

## Limits

{text.limits}
"""


def data(text: CardText) -> str:
    """Describe the songs that a model was trained on, with their licence, in Markdown."""
    if text.data:
        return text.data
    dataset = DATASETS[text.source]
    return f"`{dataset.name}`: {dataset.about}. Licence of the data: {dataset.license}."


def main() -> None:
    """Write a model with its card to assets/models."""
    parser = argparse.ArgumentParser(
        prog="python -m assets.make.bundle",
        description="Copy a trained run to assets/models, in half precision and with its card.",
    )
    parser.add_argument("model", metavar="MODEL", choices=MODELS, help=", ".join(MODELS))
    parser.add_argument("run", metavar="RUN", help="the run that the commands of its card trained")
    arguments = parser.parse_args()
    text, run = MODELS[arguments.model], run_dir.find(arguments.run)
    folder = paths.assets() / "models" / arguments.model
    store(run, arguments.model, text, folder)
    content = card(arguments.model, text, run, folder)
    (folder / "card.md").write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
