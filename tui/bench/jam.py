"""Measure how soon keys that a person plays are echoed, and how soon a phrase is answered.

The fresh processes in which this is measured are

    python -m tui.bench.jam player FILE echo COUNT      the player, and COUNT keys played one by one
    python -m tui.bench.jam player FILE phrases COUNT   the player, and COUNT phrases, with rests
    python -m tui.bench.jam both FILE echo COUNT        the player in a thread of a redrawing screen

The player reads its requests from stdin as usual, but its input port plays by itself once it is
opened, and its output port records; both write their moments to FILE when the output is closed.
"""

import json
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import mido
import mido.ports
import numpy as np

from engine import processes, protocol
from engine.errors import WorkError
from engine.music import player, ports
from engine.music.jam import VELOCITY, Answerer, PartnerSettings
from engine.protocol import (
    Failed,
    KeyPlayed,
    Listen,
    Loaded,
    LoadModel,
    MusicDone,
    MusicFrame,
    OpenPort,
    Port,
)
from tui.bench import play
from tui.bench.measurement import Measurement
from tui.sources.child_commands import INSTALLED
from tui.sources.player import Player
from tui.sources.restarting_process import ProcessEnded, deliver_to
from tui.sources.sampler import Sampler

KEYS, QUICK_KEYS = 400, 16
PHRASES, QUICK_PHRASES = 6, 1
MODEL = "folk"
TEMPO = 120.0  # beats per minute
BEAT = 60 / TEMPO  # seconds
REST = 1.0  # beats
PHRASE = (72, 76, 79, 77)  # a note on each beat
PAUSE = 4.0  # beats after a phrase, for its rest and the first beats of the answer
OWN_VELOCITY = VELOCITY + 20  # by which echoes differ from answers
_INPUT = Port("keyboard", "bench", "virtual input")
_SHARES = {"half of the keys": 50, "99 of 100 keys": 99, "all keys": 100}


def measure(quick: bool) -> Iterator[Measurement]:
    """Yield the latency of echoes in ms and of answers in beats, while a screen is redrawn.

    For echoes, the reference is a player in a thread of the process that redraws.
    """
    count = QUICK_KEYS if quick else KEYS
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "moments.json"
        screen = play.start("tui.bench.play", "screen")
        try:
            play.wait_until_drawn(screen)
            alone = echoes(_echo("player", file, count))
            phrases = QUICK_PHRASES if quick else PHRASES
            answered = answers(_answer(file, phrases))
        finally:
            screen.kill()
            screen.communicate()
        threaded = echoes(_echo("both", file, count))
    for share, percentile in _SHARES.items():
        value, reference = (float(np.percentile(late, percentile)) for late in (alone, threaded))
        yield Measurement(f"echo of {share}", value, "ms", reference, lower=True)
    for share, percentile in (("half of the phrases", 50), ("all phrases", 100)):
        value = float(np.percentile(answered, percentile))
        yield Measurement(f"answer after the rest, {share}", value, "beats", lower=True)


def echoes(moments: dict[str, list[list[float]]]) -> list[float]:
    """Return in how many ms each key that was struck was echoed.

    moments: "sent" and "played", each a list of [seconds, pitch, velocity].
    """
    sent, played = moments["sent"], moments["played"]
    if [row[1:] for row in sent] != [row[1:] for row in played]:
        raise WorkError("The player did not echo all keys: run the bench again.")
    pairs = zip(sent, played, strict=True)
    return [1000 * (out[0] - key[0]) for key, out in pairs if key[2]]


def answers(moments: dict[str, list[list[float]]]) -> list[float]:
    """Return how many beats after the rest each phrase was answered; moments: see `echoes`."""
    releases = [moment for moment, pitch, velocity in moments["sent"] if not velocity]
    ends = releases[len(PHRASE) - 1 :: len(PHRASE)]
    begun = [moment for moment, _, velocity in moments["played"] if velocity == VELOCITY]
    later = [min((moment for moment in begun if moment > end), default=np.inf) for end in ends]
    if np.inf in later:
        raise WorkError("A phrase was not answered: run the bench again.")
    return [(moment - end) / BEAT - REST for moment, end in zip(later, ends, strict=True)]


def _echo(role: str, file: Path, count: int) -> dict[str, list[list[float]]]:
    """Have keys echoed, and return the moments."""
    process = play.start("tui.bench.jam", role, str(file), "echo", str(count))
    assert process.stdin
    assert process.stdout
    if role == "both":
        play.wait_until_drawn(process)
    for request in (OpenPort(ports.SILENT.name), Listen()):
        process.stdin.write(protocol.encode(request).encode() + b"\n")
    process.stdin.flush()
    left = count
    for line in process.stdout:
        left -= b'"velocity": 0' in line
        if not left:
            break
    return _end(process, file)


def _end(process: "subprocess.Popen[bytes]", file: Path) -> dict[str, list[list[float]]]:
    process.communicate()  # closes its stdin, which ends the player
    moments: dict[str, list[list[float]]] = json.loads(file.read_text()) if file.exists() else {}
    file.unlink(missing_ok=True)
    return moments or {"sent": [], "played": [[0.0, 0.0, 0.0]]}


def _answer(file: Path, phrases: int) -> dict[str, list[list[float]]]:
    """Have phrases answered by a model in the sampler's process, and return the moments."""
    items: queue.SimpleQueue[Any] = queue.SimpleQueue()

    words = ("player", str(file), "phrases", str(phrases))
    player_process = Player((*processes.command("tui.bench.jam"), *words), deliver_to(items))
    sampler = Sampler(INSTALLED.sampler, deliver_to(items))
    try:
        sampler.request(LoadModel(MODEL))
        while not isinstance(loaded := items.get(), Loaded):
            if isinstance(loaded, Failed | ProcessEnded):
                raise WorkError(loaded.error)
        assert loaded.frame is not None
        settings = PartnerSettings(MODEL, loaded.frame, TEMPO, REST, seed=1)
        partner = Answerer(settings, player_process.request, sampler.request, sampler.stop)
        player_process.request(OpenPort(ports.SILENT.name))
        player_process.request(Listen())
        _play_along(partner, items, phrases * len(PHRASE))
    finally:
        player_process.close()
        sampler.close()
    moments: dict[str, list[list[float]]] = json.loads(file.read_text())
    return moments


def _play_along(partner: Answerer, items: "queue.SimpleQueue[Any]", keys: int) -> None:
    """Pass on what the processes answer, until some time after `keys` keys were released."""
    end = np.inf
    while (now := time.perf_counter()) < end:
        due = partner.due()
        try:
            item = items.get(timeout=min(0.1, max(0.0, (due or np.inf) - now)))
        except queue.Empty:
            item = None
        match item:
            case ProcessEnded(error):
                raise WorkError(error)
            case KeyPlayed():
                partner.take_key(item)
                keys -= not item.velocity
                if not keys and end == np.inf:
                    end = time.perf_counter() + PAUSE * BEAT
            case MusicFrame() | MusicDone():
                partner.receive(item, time.perf_counter())
        partner.tick(time.perf_counter())


class _Keyboard(mido.ports.BaseInput):  # type: ignore[misc]
    """An input port that plays keys by itself and records when."""

    def __init__(self, receive: Any, plan: str, count: int, sent: list[list[float]]) -> None:
        super().__init__(_INPUT.name)
        self._receive, self._sent = receive, sent
        threading.Thread(target=self._play, args=(plan, count), daemon=True).start()

    def _play(self, plan: str, count: int) -> None:
        moment = time.perf_counter() + BEAT
        for index in range(count):
            if plan == "echo":
                self._press(60 + index % 12, moment, play.NOTE_SECONDS / 2)
                moment += play.NOTE_SECONDS
                continue
            for pitch in PHRASE:
                self._press(pitch, moment, 0.9 * BEAT)
                moment += BEAT
            moment += PAUSE * BEAT

    def _press(self, pitch: int, moment: float, seconds: float) -> None:
        for at, velocity in ((moment, OWN_VELOCITY), (moment + seconds, 0)):
            time.sleep(max(0.0, at - time.perf_counter()))
            self._sent.append([time.perf_counter(), pitch, velocity])
            self._receive(mido.Message("note_on", note=pitch, velocity=velocity))


class _Recorder(mido.ports.BaseOutput):  # type: ignore[misc]
    """An output port that records keys, and writes all moments to a file when closed."""

    def __init__(self, file: Path, sent: list[list[float]]) -> None:
        self.file, self.sent, self.played = file, sent, list[list[float]]()
        super().__init__("recorder")

    def _send(self, message: Any) -> None:
        if message.type in {"note_on", "note_off"}:
            velocity = message.velocity if message.type == "note_on" else 0
            self.played.append([time.perf_counter(), message.note, velocity])

    def _close(self) -> None:
        self.file.write_text(json.dumps({"sent": self.sent, "played": self.played}))


def main() -> None:
    """Run the process that the first argument names: player or both."""
    role, file, plan, count = sys.argv[1:]
    sent: list[list[float]] = []

    def open_input(_: Port, receive: Any) -> _Keyboard:
        return _Keyboard(receive, plan, int(count), sent)

    recorder = _Recorder(Path(file), sent)
    with mock.patch.multiple(
        ports,
        open_port=lambda _: recorder,
        find_input=lambda _: _INPUT,
        open_input=open_input,
    ):
        if role == "player":
            player.main()
        else:
            play.run_beside_screen()


if __name__ == "__main__":
    main()
