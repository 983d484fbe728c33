"""A made-up sampler and a made-up `rnn-tui models`, for the tests of the Neurons page.

As `python neurons_fake.py worker` it speaks the sampler's protocol without a model: what a unit
holds is a wave whose length is its number. What it does otherwise is asked for by the text: `die`
ends the process, `wrong` is refused, `long` comes with a note.
"""

import json
import math
import sys
from typing import Any

SONGS = [
    'The kettle hums to the pane,\nand the window hums "to the snow".\n\nThe kettle hums.\n' * 6,
    "Over the hill (and over)\nand over again.\n",
]
MODELS: list[dict[str, Any]] = [
    {"name": "folk", "kind": "music", "source": "bundled", "words": "lstm 1 × 8",
     "nats_per_frame": 2.9427, "conditions": 0, "step": 400, "path": "models/folk"},
    {"name": "first", "kind": "lyrics", "source": "bundled", "words": "lstm 2 × 8",
     "bits_per_character": 2.013, "conditions": 4, "step": 2000, "path": "models/first"},
    {"name": "mine", "kind": "lyrics", "source": "run", "words": "markov 5",
     "bits_per_character": None, "conditions": 0, "step": 10, "path": "runs/mine"},
]  # fmt: skip
LAYERS, HIDDEN = 2, 8
FEATURES: dict[str, list[list[float]]] = {
    "place in line": [[2, 5, 0.8123], [1, 3, -0.61], [2, 8, 0.5]],
    "in quotes": [[1, 7, -0.47]],
    "in parentheses": [],
    "word's end": [[2, 2, 0.33], [1, 1, 0.2]],
}


def say(**answer: Any) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def values(layer: int, unit: int, size: int) -> list[float]:
    """What a unit holds: a wave, the slower the higher its number."""
    return [round(math.sin((place + layer) / unit) * 0.9, 3) for place in range(size)]


def told(asked: dict[str, Any]) -> dict[str, Any]:
    """The song that was asked for."""
    music = asked["model"] == "folk"
    given = asked["text"] or asked["path"]
    song = asked["song"] % len(SONGS)
    note = "It has 9,999 characters: only the first 4 were read." if given == "long" else ""
    frames = [[60 + place % 5, 48, *([67] if place % 8 < 2 else [])] for place in range(120)]
    frames[3] = []
    return {
        "model": asked["model"],
        "title": "the text given" if given else f"Ada Moor – Song {song + 1}",
        "song": 0 if given else song,
        "songs": 1 if given else len(SONGS),
        "note": note,
        "layers": 1 if music else LAYERS,
        "hidden": HIDDEN,
        "features": [
            {"name": name, "units": [[1 if music else layer, *rest] for layer, *rest in units]}
            for name, units in FEATURES.items()
        ],
        "text": None if music else asked["text"] or SONGS[song],
        "frames": frames if music else None,
        "bar": 20 / 3 if music else None,
    }


def worker() -> None:
    reading: dict[str, Any] = {}
    for line in sys.stdin:
        asked = json.loads(line)
        number = asked.get("id")
        if asked["do"] == "load":
            say(id=number, loaded=True, model=asked["model"], words="", conditions=[])
        elif asked["do"] == "neurons":
            if asked["text"] == "die":
                sys.exit("the bellows burst")
            if asked["text"] == "wrong":
                say(id=number, error="The text has characters that first has never seen ('w').")
            elif asked["model"] == "mine":
                say(id=number, error="mine counts characters and has no units: choose a network.")
            else:
                reading = told(asked)
                say(id=number, neurons=reading)
        elif asked["do"] == "unit":
            layer, unit = asked["layer"], asked["unit"]
            size = len(reading["text"] or reading["frames"])
            found = {name: units[0][2] for name, units in FEATURES.items() if units}
            say(id=number, unit={"layer": layer, "unit": unit, "correlations": found,
                                 "activations": values(layer, unit, size)})  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1] == "worker":
        worker()
    elif sys.argv[1] == "none":
        pass
    elif sys.argv[1] == "broken":
        sys.exit("The folder of models cannot be read (Permission denied): make it readable.")
    else:
        for model in MODELS:
            say(**model)
