"""A made-up sampler for the tests of the Ladder and Map pages; the models are lyrics_fake's.

As `python ladder_fake.py worker` it speaks the sampler's protocol without a model. What it does
otherwise is asked for by the prime: `die` ends the process, `wrong` is refused, `wait` writes half
and then nothing until stopped. The songs of the model `mine` are gone; where the worker is called
with `slow` it reads 120 of 240 songs and goes on when stopped, or never.
"""

import json
import queue
import sys
import threading
from typing import Any

NAMES = ["uniform", "frequencies", *(f"markov {order}" for order in range(1, 9))]
BITS = [6.19, 4.537, 3.4, 2.74, 2.344, 2.208, 2.171, 2.174, 2.181, 2.183, 1.787]
VERSE = " the kettle hums to the window pane\n\nand the window hums to the snow"
ARTISTS = {
    "Ada Moor": (0.07, 0.3), "Quiet Harbour": (-0.29, -0.04), "Moor & Daughters": (-0.09, -0.12),
    "The Paper Lanterns": (0.1, -0.16), "Bo": (0.104, -0.161), "Tin Whistle": (0.38, -0.02),
}  # fmt: skip
SONGS = {"Kettle": (0.1, 0.2), "Window": (-0.2, 0.1), "Snow": (0.0, -0.3), "Lamp": (0.4, -0.1)}


def say(**answer: Any) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def ladder(asked: dict[str, Any], stopped: threading.Event) -> None:
    number, prime, seed = asked["id"], asked["prime"], asked["seed"]
    seed = 7 if seed is None else seed
    if prime == "die":
        sys.exit("the ladder fell")
    if prime == "wrong":
        say(id=number, error="The prime has characters that first has never seen ('w').")
        return
    if asked["model"] == "mine":
        say(id=number, error="There is no file songs.csv: check the path.")
        return
    say(id=number, doing="counting 2,803,671 characters of songs")
    for place, (name, bits) in enumerate(zip([*NAMES, asked["model"]], BITS, strict=True)):
        say(id=number, rung=place, name=name, bits=bits)
    say(id=number, started=True, seed=seed, prime=prime)
    text = VERSE * 3
    for count, character in enumerate(text):
        if prime == "wait" and count == len(text) // 2:
            stopped.wait()
        if stopped.is_set():
            break
        for place in range(len(BITS)):
            say(id=number, rung=place, text=character if place else str((count + seed) % 10))
    reason = "stopped" if stopped.is_set() else "length"
    say(id=number, done=True, reason=reason, characters=len(text), seconds=0.25, seed=seed)


def place(asked: dict[str, Any], stopped: threading.Event, slow: bool) -> None:
    number, artist = asked["id"], asked["artist"]
    if asked["model"] == "mine":
        say(id=number, error="mine is markov 5 and has no hidden state to tell songs by.")
        return
    if slow:
        say(id=number, read=120, songs=240)
        stopped.wait()
        say(id=number, error="The reading was stopped after 120 of 240 songs.")
        return
    if artist is None:
        points = [{"name": name, "songs": 3, "x": x, "y": y} for name, (x, y) in ARTISTS.items()]
    else:
        points = [{"name": name, "song": song, "x": x, "y": y}
                  for song, (name, (x, y)) in enumerate(SONGS.items(), 10)]  # fmt: skip
    say(id=number, map=points, artist=artist, share=0.8318 if artist is None else 0.3)


def similar(asked: dict[str, Any]) -> None:
    near = [
        {"song": song, "artist": artist, "title": f"Song {song}", "similarity": 0.9 - song / 10}
        for song, artist in enumerate([*ARTISTS] * 2)
        if song != asked["song"]
    ]
    say(id=asked["id"], near=near[:10], song=asked["song"])


def worker(slow: bool) -> None:
    stopped = threading.Event()
    todo: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()

    def read() -> None:
        for line in sys.stdin:
            asked = json.loads(line)
            if asked["do"] == "stop":
                stopped.set()
            else:
                todo.put(asked)
        stopped.set()
        todo.put(None)

    threading.Thread(target=read, daemon=True).start()
    while (asked := todo.get()) is not None:
        if asked["do"] == "load":
            say(id=asked["id"], loaded=True, model=asked["model"], words="", conditions=[])
        elif asked["do"] == "ladder":
            ladder(asked, stopped)
        elif asked["do"] == "map":
            place(asked, stopped, slow)
        else:
            similar(asked)
        stopped.clear()


if __name__ == "__main__":
    worker("slow" in sys.argv)
