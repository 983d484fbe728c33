"""A made-up sampler and a made-up `rnn-tui models`, for the tests of the Lyrics page.

As `python lyrics_fake.py worker` it speaks the sampler's protocol without a model: every song is
the same verse, begun at a place the seed chooses. What it does otherwise is asked for by the prime:
`die` ends the process, `wrong` is refused, `odd` brings control characters, `wait` writes nothing
until stopped.
"""

import itertools
import json
import sys
import threading
from typing import Any

VERSE = "the kettle hums to the window pane\nand the window hums to the snow\n"
ARTISTS = ["The Paper Lanterns", "Ada Moor", "Moor & Daughters", "Quiet Harbour"]
MODELS: list[dict[str, Any]] = [
    {"name": "first", "kind": "lyrics", "source": "bundled", "words": "lstm 2 × 256",
     "bits_per_character": 2.013, "conditions": 4, "memory": True, "step": 2000,
     "path": "models/first"},
    {"name": "mine", "kind": "lyrics", "source": "run", "words": "markov, order 5",
     "bits_per_character": None, "conditions": 0, "step": 10, "path": "runs/mine"},
]  # fmt: skip


def say(**answer: Any) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def song(seed: int, length: int | None) -> str:
    """What the worker writes for a seed: so many characters, or two verses and a bit."""
    start = seed % len(VERSE)
    whole = (VERSE * (2 + (length or 0) // len(VERSE)))[start:]
    return whole[:length]


def told(asked: dict[str, Any], place: int) -> dict[str, Any]:
    """What is told of the character at a place, where it was asked for."""
    answer: dict[str, Any] = {}
    if asked["bits"]:
        answer |= {"bits": float(place % 9), "alternatives": [["e", 0.5], ["", 0.25]]}
    if asked["novelty"] and 19 <= place < 25:  # the first 25 characters are copied
        answer |= {"copied": place + 1, "from": "Ada Moor – Kettle"}
    return answer


def bits(number: int) -> float:
    """A character's surprise on average in one of several songs: the third is the likeliest."""
    return 2.0 + abs(number - 2) / 4


def sample(asked: dict[str, Any], stopped: threading.Event) -> None:
    number, prime = asked["id"], asked["prime"]
    if prime == "die":
        sys.exit("the bellows burst")
    if prime == "wrong":
        say(id=number, error="The prime has characters that first has never seen ('w').")
        return
    seed = asked["seed"] if isinstance(asked["seed"], int) else 7
    length = asked["length"] if isinstance(asked["length"], int) else None
    say(id=number, started=True, seed=seed, prime=prime)
    if prime == "wait":
        stopped.wait()
    songs = range(asked["count"])
    texts = [song(seed + place, length) for place in songs]
    if prime == "odd":
        texts = ["a\x07b\x1b[31mc [bold]d[/]"]
    written = 0
    for characters in itertools.zip_longest(*texts):
        if stopped.is_set():
            break
        for place, character in enumerate(characters):
            which = {"song": place} if len(texts) > 1 else {}
            if character is not None:
                say(id=number, text=character, **which, **told(asked, written))
        written += 1
    reason = "stopped" if stopped.is_set() else "length" if length else "end"
    novelty = {"characters": written, "least": 20, "copied": 0.5, "longest": 25, "source": "x"}
    for place in songs:
        which = {"song": place} if len(texts) > 1 else {}
        say(id=number, done=True, reason=reason, characters=written, seconds=0.25, seed=seed,
            bits=bits(place), **which,
            **({"novelty": novelty} if asked["novelty"] else {}))  # fmt: skip


def worker(conditions: list[str]) -> None:
    stopped = threading.Event()
    ready = threading.Semaphore(0)
    todo: list[dict[str, Any] | None] = []

    def read() -> None:
        for line in sys.stdin:
            asked = json.loads(line)
            if asked["do"] == "stop":
                stopped.set()
            elif asked["do"] == "change":
                say(id=asked["id"], changed=True)
            else:
                todo.append(asked)
                ready.release()
        stopped.set()
        todo.append(None)
        ready.release()

    threading.Thread(target=read, daemon=True).start()
    while True:
        ready.acquire()
        asked = todo.pop(0)
        if asked is None:
            return
        if asked["do"] == "load":
            names = conditions if asked["model"] == "first" else []
            say(id=asked["id"], loaded=True, model=asked["model"], kind="lyrics", words="",
                conditions=names)  # fmt: skip
        else:
            sample(asked, stopped)
            stopped.clear()


if __name__ == "__main__":
    if sys.argv[1] == "worker":
        many = int(sys.argv[2]) if len(sys.argv) > 2 else 0
        worker([f"Singer {place:05}" for place in range(many)] or ARTISTS)
    elif sys.argv[1] == "none":
        pass
    elif sys.argv[1] == "bundled":
        say(**{**MODELS[0], "source": "bundled"})
    elif sys.argv[1] == "broken":
        sys.exit("The folder of models cannot be read (Permission denied): make it readable.")
    else:
        for model in MODELS:
            say(**model)
