"""A fake `rnn-tui models --json` for the tests of the pages, which imports next to nothing.

    python fake_models.py PAGE …

PAGE is lyrics, music, ladder (of the Ladder and Map pages) or neurons.
"""

import json
import os
import sys

MODELS_VARIABLE = "FAKE_MODELS"  # in the environment: "bundled", "none" or "broken"; else all

LYRICS_MODELS: list[dict[str, object]] = [
    {"name": "first", "kind": "lyrics", "source": "bundled", "words": "lstm 2 × 256",
     "bits_per_character": 2.013, "conditions": 4, "memory": True, "step": 2000,
     "path": "models/first"},
    {"name": "mine", "kind": "lyrics", "source": "run", "words": "markov, order 5",
     "bits_per_character": None, "conditions": 0, "step": 10, "path": "runs/mine"},
]  # fmt: skip
MUSIC_MODELS: list[dict[str, object]] = [
    {"name": "folk", "kind": "music", "source": "run", "words": "lstm 2 × 192",
     "nats_per_frame": 2.9427, "conditions": 0, "step": 400, "path": "runs/folk"},
    LYRICS_MODELS[0],
    {"name": "chorals", "kind": "music", "source": "run", "words": "gru 1 × 64",
     "nats_per_frame": None, "conditions": 0, "step": 10, "path": "runs/chorals"},
]  # fmt: skip
NEURONS_MODELS: list[dict[str, object]] = [
    {"name": "folk", "kind": "music", "source": "bundled", "words": "lstm 1 × 8",
     "nats_per_frame": 2.9427, "conditions": 0, "step": 400, "path": "models/folk"},
    {"name": "first", "kind": "lyrics", "source": "bundled", "words": "lstm 2 × 8",
     "bits_per_character": 2.013, "conditions": 4, "step": 2000, "path": "models/first"},
    {"name": "mine", "kind": "lyrics", "source": "run", "words": "markov 5",
     "bits_per_character": None, "conditions": 0, "step": 10, "path": "runs/mine"},
]  # fmt: skip
MODELS = {
    "lyrics": LYRICS_MODELS,
    "music": MUSIC_MODELS,
    "ladder": LYRICS_MODELS,
    "neurons": NEURONS_MODELS,
}


def main(page: str) -> None:
    which, models = os.environ.get(MODELS_VARIABLE), MODELS[page]
    if which == "broken":
        sys.exit("The folder of models cannot be read (Permission denied): make it readable.")
    if which == "none":
        models = [model for model in models if page == "music" and model["kind"] == "lyrics"]
    if which == "bundled":
        models = [{**models[0], "source": "bundled"}]
    for model in models:
        print(json.dumps(model))


if __name__ == "__main__":
    main(sys.argv[1])
