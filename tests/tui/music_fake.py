"""A made-up sampler and a made-up `rnn-tui models`, for the tests of the Music page.

As `python music_fake.py worker` it speaks the sampler's protocol without a model: every piece is
the same tune over a bass, begun at a place the seed chooses. What it does otherwise is asked for by
the MIDI file to begin with: `die.mid` ends the process, `wrong.mid` is refused, `wait.mid` stops to
think after eight frames, until stopped.
"""

import json
import sys
import threading
from typing import Any

TUNE = (67, 67, 69, 71, 72, 72, 71, 69, 67, 64, 64, 62, 60, 60, 60, 62)
BASS = (48, 43, 45, 41)  # four frames each
FRAME = 0.25  # seconds
MODELS: list[dict[str, Any]] = [
    {"name": "folk", "kind": "music", "source": "run", "words": "lstm 2 × 192",
     "nats_per_frame": 2.9427, "conditions": 0, "step": 400, "path": "runs/folk"},
    {"name": "first", "kind": "lyrics", "source": "bundled", "words": "lstm 2 × 256",
     "bits_per_character": 2.013, "conditions": 4, "step": 2000, "path": "models/first"},
    {"name": "chorals", "kind": "music", "source": "run", "words": "gru 1 × 64",
     "nats_per_frame": None, "conditions": 0, "step": 10, "path": "runs/chorals"},
]  # fmt: skip


def say(**answer: Any) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def frame(place: int) -> dict[str, list[int]]:
    """What the worker writes as frame `place` of its tune: repeated notes over held ones."""
    high, low = TUNE[place % len(TUNE)], BASS[place // 4 % len(BASS)]
    return {"keys": [low, high], "onsets": [high] if place % 4 else [low, high]}


def pace(model: str) -> dict[str, Any]:
    """Frames of seconds, or for the second model of half a beat."""
    beats = 0.5 if model == "chorals" else None
    return {"seconds": FRAME, "beats": beats, "tempo": 120.0}


def sample(asked: dict[str, Any], stopped: threading.Event) -> None:
    number, prime = asked["id"], asked["prime"] or ""
    if prime.endswith("die.mid"):
        sys.exit("a string broke")
    if prime.endswith("wrong.mid"):
        say(id=number, error=f"{prime} is not a usable MIDI file.")
        return
    seed = asked["seed"] if isinstance(asked["seed"], int) else 7
    chord = asked["notes"]
    given = [{"keys": chord, "onsets": chord}] * 2 if chord else []
    say(id=number, started=True, seed=seed, prime=given, metre=[4, 4], **pace(asked["model"]))
    written = 0
    for place in range(asked["length"]):
        if place == 8 and prime.endswith("wait.mid"):
            stopped.wait()
        if stopped.is_set():
            break
        say(id=number, **frame(seed + place))
        written += 1
    reason = "stopped" if stopped.is_set() else "length"
    say(id=number, done=True, reason=reason, frames=written, seconds=0.25, seed=seed)


def worker() -> None:
    stopped = threading.Event()
    ready = threading.Semaphore(0)
    todo: list[dict[str, Any] | None] = []

    def read() -> None:
        for line in sys.stdin:
            asked = json.loads(line)
            if asked["do"] == "stop":
                stopped.set()
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
            name = asked["model"]
            say(id=asked["id"], loaded=True, model=name, kind="music", words="", conditions=[],
                **pace(name))  # fmt: skip
        else:
            sample(asked, stopped)
            stopped.clear()


if __name__ == "__main__":
    if sys.argv[1] == "worker":
        worker()
    elif sys.argv[1] == "none":
        say(**MODELS[1])
    elif sys.argv[1] == "bundled":
        say(**{**MODELS[0], "source": "bundled"})
    elif sys.argv[1] == "broken":
        sys.exit("The folder of models cannot be read (Permission denied): make it readable.")
    else:
        for model in MODELS:
            say(**model)
