"""Through JACK: `rnn-tui play` to FluidSynth and its sound, and `rnn-tui jam` with a keyboard.

No sound card is needed: JACK runs on its dummy driver, FluidSynth writes its sound to a file.
"""

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest

from engine.data.codecs import KeysCodec
from engine.inference import models
from engine.music import midi, soundfont
from engine.music.score import Note, Score
from engine.protocol import OpenPort, Play, PlaybackStatus, SetProgram
from tui.sources.child_commands import INSTALLED
from tui.sources.player import Answers, Player
from tui.sources.restarting_process import ProcessEnded

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (shutil.which("jackd") and shutil.which("fluidsynth")),
        reason="jackd and fluidsynth are not installed",
    ),
]

RATE = 48_000
PATIENCE = 60.0  # seconds
SERVER = f"rnn-tui-tests-{os.getpid()}"  # each worker of the tests has its own
ENVIRONMENT = {
    **os.environ,
    "JACK_NO_START_SERVER": "1",
    "JACK_NO_AUDIO_RESERVATION": "1",
    "JACK_DEFAULT_SERVER": SERVER,
}
GAP = 0.3  # seconds
SCALE = [60, 62, 64, 65, 67, 69, 71, 72]


@dataclass(frozen=True)
class Fluid:
    """A FluidSynth process and the file that it plays into."""

    process: "subprocess.Popen[bytes]"
    file: Path

    def finish(self) -> Any:
        """End the process and return what it has played, (n, 2)."""
        self.process.communicate(b"quit\n", timeout=PATIENCE)
        with wave.open(str(self.file)) as file:
            assert (file.getnchannels(), file.getframerate()) == (2, RATE)
            return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.1)


def list_ports() -> list[dict[str, str]]:
    done = subprocess.run(
        [sys.executable, "-m", "tui.cli", "ports", "--json"],
        env=ENVIRONMENT,
        capture_output=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def play(song: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tui.cli", "play", str(song), *words],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


@pytest.fixture(scope="module")
def jack() -> Iterator[None]:
    words = ["jackd", "-n", SERVER, "-R", "-s", "-d", "dummy", "-r", str(RATE), "-p", "256"]
    server = subprocess.Popen(
        words, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    until(lambda: any(port["api"] == "UNIX_JACK" for port in list_ports()))
    yield
    server.terminate()
    server.wait(PATIENCE)


@pytest.fixture
def fluid(jack: None, tmp_path: Path) -> Iterator[Fluid]:
    file = tmp_path / "played.wav"
    settings = {
        "audio.file.name": file,
        "audio.file.type": "wav",
        "audio.file.format": "s16",
        "audio.period-size": 256,
        "midi.jack.server": SERVER,
    }
    words = ["fluidsynth", "-m", "jack", "-a", "file", "-r", str(RATE), "-g", "1", "-R0", "-C0"]
    words += [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
    process = subprocess.Popen(
        [*words, str(soundfont.bundled())],
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield Fluid(process, file)
    process.kill()
    process.communicate(timeout=PATIENCE)


def pitch(frames: Any) -> float:
    """Return the lowest of the strong frequencies as a fractional MIDI number."""
    spectrum = np.abs(np.fft.rfft(frames * np.hanning(len(frames)), 1 << 17))
    places = np.fft.rfftfreq(1 << 17, 1 / RATE)
    first = np.flatnonzero(spectrum > spectrum.max() / 3)[0]
    top = first + spectrum[first : first + 20].argmax()
    return float(69 + 12 * np.log2(places[top] / 440))


def onsets(frames: Any) -> list[float]:
    """Return the seconds at which the loudness rises above that of the 30 ms before."""
    step = RATE // 200
    loud = np.abs(frames[: len(frames) // step * step]).reshape(-1, step).max(1)  # (n,)
    found: list[float] = []
    for place in range(6, len(loud)):
        risen = loud[place] > 2 * loud[place - 6 : place - 1].max() + 300
        if risen and (not found or place * step / RATE - found[-1] > GAP / 2):
            found.append(place * step / RATE)
    return found


def test_a_scale_sounds_as_written(fluid: Fluid, tmp_path: Path) -> None:
    until(lambda: any("fluidsynth" in port["name"] for port in list_ports()))
    port = next(port for port in list_ports() if "fluidsynth" in port["name"])
    assert (port["api"], port["kind"]) == ("UNIX_JACK", "port")
    notes = tuple(Note(GAP * i, GAP * i + 0.12, key, 100) for i, key in enumerate(SCALE))
    song = tmp_path / "scale.mid"
    midi.write(Score(notes, program=80), song)  # with a fast attack and a short release
    done = play(song, "--port", "fluidsynth", "--transpose", "2")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{song}: 8 notes, 0:02, on {port['name']}\n"
    frames = fluid.finish()[:, 0].astype(float)
    starts = onsets(frames)
    assert len(starts) == len(SCALE)
    off = np.array(starts) - starts[0] - GAP * np.arange(len(starts))  # (8,): seconds
    print("onsets off by", np.round(1000 * off, 1), "ms")
    assert np.ptp(off) < 0.03
    for start, key in zip(starts, SCALE, strict=True):
        part = frames[round((start + 0.01) * RATE) : round((start + 0.2) * RATE)]
        assert abs(pitch(part) - key - 2) < 0.3
    assert np.abs(frames[-RATE // 20 :]).max() < np.abs(frames).max() / 4  # nothing hangs


def test_a_player_killed_in_the_middle_leaves_no_note_hanging(fluid: Fluid, tmp_path: Path) -> None:
    """Of an organ, which would sound for ever."""
    until(lambda: any("fluidsynth" in port["name"] for port in list_ports()))
    song = tmp_path / "long.mid"
    midi.write(Score((Note(0, 60, 60, 100),), program=19), song)
    process = subprocess.Popen(
        [sys.executable, "-m", "tui.cli", "play", str(song), "--port", "fluid"],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout
    assert process.stdout.readline()
    time.sleep(1.0)  # of sound
    process.kill()
    process.communicate()
    time.sleep(1.5)  # of silence
    loud = np.abs(fluid.finish().astype(int)).max(1)
    assert loud.max() > 1000
    assert loud[-RATE // 4 :].max() < 10


def test_a_killed_player_is_silenced_by_the_app(
    fluid: Fluid, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The app starts another player that releases the notes."""
    until(lambda: any("fluidsynth" in port["name"] for port in list_ports()))
    for key, value in ENVIRONMENT.items():
        monkeypatch.setenv(key, value)
    deliveries: queue.SimpleQueue[Answers] = queue.SimpleQueue()
    player = Player(INSTALLED.player, deliveries.put)

    def until_answered(kind: type, true: Callable[[Any], object] = bool) -> None:
        while not any(
            isinstance(answer, kind) and true(answer) for answer in deliveries.get(timeout=PATIENCE)
        ):
            pass

    player.request(OpenPort("fluid"))
    player.request(SetProgram(19))  # an organ
    player.load([Note(0, 60, 60, 100)])
    player.request(Play())
    until_answered(PlaybackStatus, lambda status: status.position)
    time.sleep(1.0)  # of sound
    assert player.pid
    os.kill(player.pid, signal.SIGKILL)
    until_answered(ProcessEnded)
    time.sleep(1.5)  # of silence
    player.close()
    loud = np.abs(fluid.finish().astype(int)).max(1)
    assert loud.max() > 1000
    assert loud[-RATE // 4 :].max() < 10


@pytest.mark.parametrize("seconds", [1.0, PATIENCE])
def test_a_killed_synthesizer_is_an_error(fluid: Fluid, tmp_path: Path, seconds: float) -> None:
    """Also if it is killed so late that the song ends before the ports are listed again."""
    until(lambda: any("fluidsynth" in port["name"] for port in list_ports()))
    song = tmp_path / "song.mid"
    midi.write(Score((Note(0, seconds, 60, 100),)), song)
    process = subprocess.Popen(
        [sys.executable, "-m", "tui.cli", "play", str(song), "--port", "fluid"],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline()
    fluid.process.kill()
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "The MIDI port is gone (it is not listed any more)" in errors


def test_a_virtual_port_can_be_made(jack: None, tmp_path: Path) -> None:
    assert {"name": "rnn-tui", "api": "UNIX_JACK", "kind": "virtual"} in list_ports()
    song = tmp_path / "short.mid"
    midi.write(Score((Note(0, 0.1, 60, 100),)), song)
    done = play(song, "--virtual")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("on rnn-tui\n")


def test_the_built_in_synthesizer_plays_through_the_sound_system(
    jack: None, tmp_path: Path
) -> None:
    assert {"name": "synth", "api": "miniaudio", "kind": "synth"} in list_ports()
    song = tmp_path / "short.mid"
    midi.write(Score((Note(0, 0.5, 60, 100),)), song)
    done = play(song)  # the default port, as there is no MIDI port
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("on synth\n")


class Keyboard:
    """A virtual keyboard that plays, and a virtual synthesizer that records, in this process."""

    def __init__(self) -> None:
        backend = mido.Backend("mido.backends.rtmidi/UNIX_JACK")
        self.recorded: list[tuple[float, Any]] = []
        self.ear = backend.open_input("ear", virtual=True, callback=self._record)
        self.keys = backend.open_output("keyboard", virtual=True)

    def _record(self, message: Any) -> None:
        self.recorded.append((time.perf_counter(), message))

    def press(self, *pitches: int) -> None:
        """Play notes of a beat each."""
        for pitch in pitches:
            self.keys.send(mido.Message("note_on", note=pitch, velocity=99))
            time.sleep(0.8 * BEAT)
            self.keys.send(mido.Message("note_off", note=pitch))
            time.sleep(0.2 * BEAT)

    def onsets(self, own: bool) -> list[tuple[float, int]]:
        """Return the moments and pitches of the echoes of our own notes, or of the others."""
        return [
            (moment, message.note)
            for moment, message in self.recorded
            if message.type == "note_on" and (message.velocity == 99) == own
        ]

    def close(self) -> None:
        self.keys.close()
        self.ear.close()


BEAT = 0.5  # seconds
PHRASE = [72, 76, 79, 77, 76, 74]
MODEL = "folk"


@pytest.fixture
def keyboard(jack: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Keyboard]:
    for key, value in ENVIRONMENT.items():
        monkeypatch.setenv(key, value)
    keyboard = Keyboard()
    yield keyboard
    keyboard.close()


@contextlib.contextmanager
def jam(mode: str, model: str = MODEL) -> Iterator["subprocess.Popen[str]"]:
    words = ["jam", mode, "--input", "keyboard", "--port", "ear", "--model", model]
    process = subprocess.Popen(
        [sys.executable, "-m", "tui.cli", *words, "--beat", "120", "--seed", "1"],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a shell starts its background jobs with interrupts ignored, which children inherit
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )
    assert process.stdout
    line = process.stdout.readline()
    assert f"{model} follows " in line, (line, process.stderr.read() if process.stderr else "")
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)


def test_a_phrase_is_answered_in_time_again_and_again(keyboard: Keyboard) -> None:
    codec = models.load(MODEL).codec
    assert isinstance(codec, KeysCodec)
    frame = codec.beats * BEAT if codec.beats else codec.seconds
    with jam("answer"):
        for _ in range(2):
            keyboard.recorded.clear()
            keyboard.press(*PHRASE)
            last = time.perf_counter()

            def answers(since: float = last) -> list[tuple[float, int]]:
                """Return the keys of the answer to this phrase, not to the one before."""
                return [onset for onset in keyboard.onsets(own=False) if onset[0] > since]

            until(lambda: len(answers()) > 2)
            time.sleep(3 * BEAT)  # of the answer
            echoes, answer = keyboard.onsets(own=True), answers()
            assert [pitch for _, pitch in echoes] == PHRASE
            # It begins on the phrase's beat, within a beat of the rest of one beat.
            begin = (answer[0][0] - echoes[0][0]) / BEAT
            print("answer begins at beat", begin, "after", (last - echoes[0][0]) / BEAT)
            assert len(PHRASE) + 0.7 < begin < len(PHRASE) + 2.2
            assert abs(begin - round(2 * begin) / 2) < 0.1
            off = np.array([moment - answer[0][0] for moment, _ in answer]) / frame
            print("onsets off by", np.round(1000 * frame * (off - off.round()), 1), "ms")
            assert np.abs(off - off.round()).max() * frame < 0.04


def test_what_is_played_is_accompanied_in_a_steady_beat(keyboard: Keyboard) -> None:
    with jam("accompany", "chorales"):  # a chord on each beat
        keyboard.press(*PHRASE, *PHRASE)
        until(lambda: len(keyboard.onsets(own=True)) == 2 * len(PHRASE))
        echoes, added = keyboard.onsets(own=True), keyboard.onsets(own=False)
        assert [pitch for _, pitch in echoes] == [*PHRASE, *PHRASE]
        assert len({round(moment, 1) for moment, _ in added}) > 3  # chords change
        assert added[0][0] - echoes[0][0] < BEAT  # a beat behind at most
        for moment, pitch in added:
            top = max(played for begun, played in echoes if moment - 2 * BEAT < begun < moment)
            assert pitch < top


def test_a_keyboard_that_is_gone_is_an_error(keyboard: Keyboard) -> None:
    with jam("answer") as process:
        keyboard.keys.close()
        process.wait(PATIENCE)
        assert process.returncode == 1
        assert process.stderr
        assert "The MIDI input is gone (it is not listed any more)" in process.stderr.read()
