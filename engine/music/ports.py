"""MIDI ports: list them, find one by name, open it, notice when it disappears.

`python -m engine.music.ports` prints the output ports, one JSON object per line, and with the
argument `inputs` the input ports. Ports are always listed by such a separate process, because the C
libraries that list them write to the screen and can crash, above all while a port is open.
"""

import contextlib
import dataclasses
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from engine import processes
from engine.errors import InputError, WorkError
from engine.protocol import Port, PortKind
from engine.suggestions import closest, join_or

SCAN_TIMEOUT = 20.0  # seconds
POLL_SECONDS = 4.0  # between two scans of a watcher; each scan starts a process
MAX_MISSES = 2  # successive scans without the port; under load a single scan may miss a port


@dataclass(frozen=True)
class ScanResult:
    """The ports found by a scan."""

    ports: tuple[Port, ...]
    synth_error: str | None = None  # why the built-in synthesizer is not among them, as a sentence
    midi_error: str | None = None  # why no MIDI port is among them, as a sentence


SYNTH = Port("synth", "miniaudio", "synth")  # the built-in synthesizer
SILENT = Port("silent", "none", "silent")  # no output: playback runs without sound
NO_RTMIDI = (
    "MIDI ports need the package python-rtmidi, which is not installed (it has none ready-made for "
    "Python 3.13 and later): use Python 3.11 or 3.12, or for sound the built-in synthesizer."
)
VIRTUAL = "rnn-tui"  # name of the virtual port, to which other programs can connect
_ORDER: tuple[PortKind, ...] = ("port", "synth", "virtual")


def scan() -> ScanResult:
    """List all output ports: the MIDI ports, the built-in synthesizer, the virtual port."""
    ports: list[Port] = []
    synth_error, midi_error = None, None
    for values in _list():
        if "trouble" in values:
            synth_error = str(values["trouble"])
        elif "no_midi" in values:
            midi_error = str(values["no_midi"])
        else:
            with contextlib.suppress(TypeError):
                ports.append(Port(**values))
    ports.sort(key=lambda port: _ORDER.index(port.kind))
    return ScanResult(tuple(ports), synth_error, midi_error)


def scan_inputs() -> tuple[Port, ...]:
    """List all input ports: the MIDI ports, then the virtual port.

    Raises InputError without python-rtmidi.
    """
    found = _list("inputs")
    if any("no_midi" in values for values in found):
        raise InputError(NO_RTMIDI)
    return tuple(sorted((Port(**values) for values in found), key=lambda port: port.kind))


def _list(*words: str) -> list[dict[str, Any]]:
    """Return what a process that lists ports prints."""
    try:
        done = subprocess.run(
            [*processes.command("engine.music.ports"), *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SCAN_TIMEOUT,
            check=False,  # after a crash, the ports printed before it are used
        )
        lines = done.stdout
    except subprocess.TimeoutExpired as error:
        lines = error.stdout or b""
    except OSError as error:
        raise WorkError(f"Cannot list the MIDI ports ({error.strerror}): try again.") from error
    found = []
    for line in lines.splitlines():
        with contextlib.suppress(ValueError):
            found.append(json.loads(line))
    return found


def find(name: str | None) -> Port:
    """Scan the ports and return the one with a name; see `choose`.

    The silent port is never listed and is found by its full name only, so that playback is not
    silent by accident.
    """
    return SILENT if name == SILENT.name else choose(name, scan())


def choose(name: str | None, found: ScanResult) -> Port:
    """Return the port with this name, or the only port whose name contains it.

    name: None for the first MIDI port, or else the built-in synthesizer; raises WorkError if
    neither was found. Raises InputError if no port or several ports match a name.
    """
    if name is None:
        return _default(found)
    if name not in {port.name for port in found.ports}:
        _refuse_unavailable(name, found)
        known = [port for port in found.ports if name.casefold() in port.name.casefold()]
        if found.midi_error and not known:
            raise InputError(found.midi_error)
    return _match(name, found.ports, "MIDI port", "connect a synthesizer")


def choose_input(name: str | None, found: Sequence[Port]) -> Port:
    """Return the input port with this name, or the only one whose name contains it.

    name: None for the first MIDI port that is not one of our own or of Linux itself. Raises
    InputError if no port or several ports match.
    """
    if name is not None:
        return _match(name, found, "MIDI input", "connect a keyboard")
    for port in found:
        if port.kind == "input" and not any(part in port.name for part in ("Through", "RtMidi")):
            return port
    raise InputError(
        "There is no MIDI input: connect a keyboard, or name another port ('rnn-tui ports "
        "--inputs' lists them)."
    )


def find_input(name: str | None) -> Port:
    """Scan the input ports and return the one with a name; see `choose_input`."""
    return choose_input(name, scan_inputs())


def _match(name: str, found: Sequence[Port], what: str, remedy: str) -> Port:
    """Return the port with this name, or the only one whose name contains it.

    what, remedy: parts of the sentence if no port matches. Raises InputError.
    """
    exact = [port for port in found if port.name == name]
    if exact:
        return exact[0]
    containing = [port for port in found if name.casefold() in port.name.casefold()]
    if len(containing) == 1:
        return containing[0]
    if containing:
        matching = join_or(port.name for port in containing)
        raise InputError(f"The port {name!r} could be {matching}: give more of its name.")
    names = [port.name for port in found]
    if not names:
        raise InputError(f"There is no {what} {name!r}: no ports were found; {remedy}.")
    suggested = closest(name, names, cutoff=0.4) or names
    raise InputError(f"There is no {what} {name!r}: use {join_or(suggested)}.")


def _default(found: ScanResult) -> Port:
    for port in found.ports:
        # Linux's "Midi Through" port makes no sound; it only forwards messages.
        if port.kind == "synth" or (port.kind == "port" and "Midi Through" not in port.name):
            return port
    reason = found.synth_error or "The built-in synthesizer does not answer: connect a synthesizer."
    raise WorkError(f"There is no MIDI port to play on, and {reason[:1].lower()}{reason[1:]}")


def _refuse_unavailable(name: str, found: ScanResult) -> None:
    """Raise InputError, with the reason, if `name` is the virtual port or the synthesizer.

    `name` is one that the scan did not find.
    """
    if name == VIRTUAL and not found.midi_error:
        raise InputError(
            "This system cannot make a virtual MIDI port (Linux needs ALSA's sequencer or JACK for "
            "it; Windows cannot): use another port."
        )
    if name == SYNTH.name and found.synth_error:
        raise InputError(found.synth_error)


def open_port(port: Port) -> Any:
    """Open a port as a `mido.ports.BaseOutput`; raises InputError if it cannot be opened."""
    if port.kind == "synth":
        from engine.music.synth_port import SynthPort

        return SynthPort(port.name)
    import mido.ports

    if port.kind == "silent":
        return mido.ports.BaseOutput(port.name)  # ignores every message
    backend = mido.Backend(f"mido.backends.rtmidi/{port.api}")
    try:
        # Without a client_name, which would make a virtual port, connected to nothing.
        return backend.open_output(port.name, virtual=port.kind == "virtual")
    except (OSError, ValueError, ImportError, NotImplementedError) as error:
        raise InputError(
            f"Cannot open the MIDI port {port.name!r} ({error}): list the ports again and choose "
            "one of them."
        ) from error


def open_input(port: Port, receive: Callable[[Any], None]) -> Any:
    """Open an input port as a `mido.ports.BaseInput`; raises InputError if it cannot be opened.

    receive: called with each message, in a thread of the MIDI library.
    """
    import mido

    backend = mido.Backend(f"mido.backends.rtmidi/{port.api}")
    try:
        return backend.open_input(port.name, virtual=port.kind == "virtual input", callback=receive)
    except (OSError, ValueError, ImportError, NotImplementedError) as error:
        raise InputError(
            f"Cannot open the MIDI input {port.name!r} ({error}): list the inputs again "
            "('rnn-tui ports --inputs') and choose one of them."
        ) from error


GONE = "it is not listed any more"


def gone_sentence(reason: str, what: str = "port") -> str:
    """Return the message that a port is gone; what: "port" or "input"."""
    return f"The MIDI {what} is gone ({reason}): choose another {what}."


class PortWatcher:
    """Checks, in a thread, while music is playing, whether a port still exists.

    That is necessary because JACK and ALSA accept messages to a port that no longer exists, without
    an error. `on_gone` is called once, in the thread, when it does not.
    """

    def __init__(
        self, port: Port, is_playing: Callable[[], bool], on_gone: Callable[[], None]
    ) -> None:
        self._port, self._is_playing, self._on_gone = port, is_playing, on_gone
        self._ended = threading.Event()
        if port.kind in {"port", "input"}:  # the other kinds belong to this process
            threading.Thread(target=self._watch, daemon=True).start()

    def end(self) -> None:
        """Stop watching."""
        self._ended.set()

    def _watch(self) -> None:
        misses = 0
        while misses < MAX_MISSES and not self._ended.wait(POLL_SECONDS):
            if self._is_playing():
                misses = 0 if self._is_listed() else misses + 1
        if not self._ended.is_set():
            self._on_gone()

    def _is_listed(self) -> bool:
        try:
            return self._port in (scan_inputs() if self._port.kind == "input" else scan().ports)
        except WorkError:
            return True


def _probe() -> Iterator[dict[str, str]]:
    """Yield the fields of each `Port`, listed by this process.

    If the built-in synthesizer is not available, {"trouble": the reason} is yielded instead of it.
    """
    from engine.music import synth_port

    reason = synth_port.unavailable_reason()
    yield dataclasses.asdict(SYNTH) if reason is None else {"trouble": reason}
    yield from _probe_midi("MidiOut", "port", "virtual")


def _probe_midi(direction: str, kind: PortKind, virtual_kind: PortKind) -> Iterator[dict[str, str]]:
    """Yield the fields of the MIDI ports of one direction, a class of rtmidi.

    Without python-rtmidi, {"no_midi": the reason} is yielded.
    """
    try:
        import rtmidi
    except ImportError:
        yield {"no_midi": NO_RTMIDI}
        return

    names = {
        getattr(rtmidi, key): key.removeprefix("API_")
        for key in dir(rtmidi)
        if key.startswith("API_")
    }
    virtual = None
    for api in rtmidi.get_compiled_api():
        if api == rtmidi.API_RTMIDI_DUMMY:
            continue
        with contextlib.suppress(Exception):  # an API fails where its server does not run
            client = getattr(rtmidi, direction)(api)
            for name in client.get_ports():
                yield {"name": name, "api": names[api], "kind": kind}
            if api != rtmidi.API_WINDOWS_MM:  # it has no virtual ports
                virtual = virtual or {"name": VIRTUAL, "api": names[api], "kind": virtual_kind}
            client.delete()
    if virtual is not None:
        yield virtual


if __name__ == "__main__":
    inputs = sys.argv[1:] == ["inputs"]
    for each in _probe_midi("MidiIn", "input", "virtual input") if inputs else _probe():
        print(json.dumps(each), flush=True)
