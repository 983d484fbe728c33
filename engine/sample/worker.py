"""The sampler's process: `python -m engine.sample.worker`, requests on stdin, answers on stdout.

One JSON object a line, both ways; a model stays warm until its file changes or another is asked
for. A thread reads stdin, so that a stop, or stdin's end, is heard between two characters.
"""

import os

# Before NumPy comes in: a product of one row gains nothing by threads.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import contextlib
import functools
import json
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from engine.errors import InputError
from engine.sample import models
from engine.sample.decoding import Rules
from engine.sample.models import Model
from engine.sample.sampler import Request, stream

Answer = dict[str, Any]

_FIELDS = {  # of a sample, with the type of each
    "prime": str,
    "artist": str,
    "temperature": float,
    "top_k": int,
    "top_p": float,
    "min_p": float,
    "memory": float,
    "seed": int,
    "length": int,
}
_NAMES = {str: "a text", float: "a number", int: "a whole number"}
_ALLOWED = {
    "load": {"model"},
    "sample": {"model", *_FIELDS},
    "stop": set[str](),
}


def _parse(line: bytes) -> Answer:
    """A request's fields; raises InputError for a line that is none."""
    try:
        values = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"A request is not JSON ({error}): send one object a line.") from error
    if not isinstance(values, dict):
        raise InputError("A request is not a JSON object: send one object a line.")
    return values


def _check(values: Answer) -> None:
    """Refuse what the protocol does not know."""
    do = values.get("do")
    if not isinstance(do, str) or do not in _ALLOWED:
        raise InputError(f"The request asks to do {do!r}: it can be {', '.join(_ALLOWED)}.")
    for key in values:
        if key not in {"do", "id", *_ALLOWED[do]}:
            raise InputError(f"A request to {do} has no key {key!r}: leave it out.")
    if not isinstance(values.get("model"), str | None):
        raise InputError(f"model is {values['model']!r}: give its name or path.")


def _value(key: str, value: Any) -> Any:
    """A field's value in its type; null stays None."""
    wanted = _FIELDS[key]
    if key == "temperature" and value == "inf":
        return float("inf")
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        with contextlib.suppress(OverflowError):
            return float(value)
    if value is not None and type(value) is not wanted:
        raise InputError(f"{key} is {value!r}: give {_NAMES[wanted]}.")
    return value


def _request(values: Answer) -> Request:
    """What to write; null or a missing key means the default."""
    fields = {key: _value(key, values[key]) for key in _FIELDS if values.get(key) is not None}
    names = ("temperature", "top_k", "top_p", "min_p", "memory")
    rules = Rules(**{name: fields.pop(name) for name in names if name in fields})
    return Request(**fields, rules=rules)


class Inbox:
    """Requests as they come in, read by a thread of their own."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = lines
        self._queue: queue.SimpleQueue[tuple[int, Answer | InputError] | None] = queue.SimpleQueue()
        self._stopped = 0  # requests up to this number are to be stopped
        self._closed = False
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for number, line in enumerate(self._lines, 1):
            if not line.strip():
                continue
            try:
                values = _parse(line)
            except InputError as error:
                self._queue.put((number, error))
                continue
            if values.get("do") == "stop":
                self._stopped = number
            self._queue.put((number, values))
        self._closed = True
        self._queue.put(None)

    def __iter__(self) -> "Inbox":
        """Give the requests with their numbers until stdin ends."""
        return self

    def __next__(self) -> tuple[int, Answer | InputError]:
        item = self._queue.get()
        if item is None or self._closed:
            raise StopIteration
        return item

    def stopped(self, number: int) -> bool:
        """Whether a stop, or the end, has come after the request of that number."""
        return self._closed or number < self._stopped


class Worker:
    """Answers requests, with the last model warm."""

    def __init__(self, say: Callable[[Answer], None]) -> None:
        self._say = say
        self._model: Model | None = None
        self._stamp: object = None

    def _load(self, name: str | None) -> Model:
        found, folder = models.locate(name)
        stamp = found, models.stamp(folder)
        if self._model is None or self._stamp != stamp:
            self._model = None  # two at once could be too many
            self._model = models.load(name)
            self._stamp = stamp
        return self._model

    def answer(self, values: Answer, stopped: Callable[[], bool]) -> None:
        """Do what a request asks; raises InputError where it cannot be done."""
        _check(values)
        if values["do"] == "load":
            self.load(values)
        if values["do"] == "sample":
            self.sample(values, stopped)

    def load(self, values: Answer) -> None:
        """Make a model ready and say what it is."""
        model = self._load(values.get("model"))
        self._say(
            {
                "id": values.get("id"),
                "loaded": True,
                "model": model.name,
                "kind": model.meta["kind"],
                "words": model.config.words,
                "conditions": list(model.conditions),
            }
        )

    def sample(self, values: Answer, stopped: Callable[[], bool]) -> None:
        """Write a song, character by character."""
        request = _request(values)
        song = stream(self._load(values.get("model")), request, stopped)
        number = {"id": values.get("id")}
        start = time.perf_counter()
        self._say({**number, "started": True, "seed": song.seed, "prime": song.prime})
        for character in song:
            self._say({**number, "text": character})
        self._say(
            {
                **number,
                "done": True,
                "reason": song.reason,
                "characters": song.characters,
                "seconds": round(time.perf_counter() - start, 6),
                "seed": song.seed,
            }
        )


def _print(answer: Answer) -> None:
    """Write a line at once; it is all ASCII, since a lone surrogate could not be written else."""
    os.write(1, json.dumps(answer).encode() + b"\n")


def main() -> None:
    """Answer until stdin ends, or nobody listens any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is meant for the parent, who decides
    # Not sys.stdin: the thread would hold it locked when the interpreter wants to close it.
    inbox, worker = Inbox(os.fdopen(0, "rb", closefd=False)), Worker(_print)
    with contextlib.suppress(BrokenPipeError):
        for number, values in inbox:
            try:
                if isinstance(values, InputError):
                    raise values
                worker.answer(values, functools.partial(inbox.stopped, number))
            except InputError as error:
                known = values.get("id") if isinstance(values, dict) else None
                _print({"id": known, "error": str(error)})


if __name__ == "__main__":
    main()
