"""The player's process with ports that record what they are sent.

    python recording_player.py FILE [NAME…]

Each message is written to FILE at once as a line "moment port bytes", so that a kill loses none;
so are opening and closing. The ports have the names given, or "tape"; "none" stands for no
ports. Some names are special: "broken" cannot be opened, "loose" fails at its fourth message,
"fading" is no longer listed once it was opened.

There are two input ports, "keyboard" and "organ", on which a key is played once they are opened;
the organ is no longer listed then. With a port called "keyless" there is none.
"""

import os
import sys
import time
from collections.abc import Callable
from typing import Any

import mido
import mido.ports

from engine.errors import InputError
from engine.music import player, ports
from engine.music.ports import ScanResult
from engine.protocol import Port

NO_SOUND = "The built-in synthesizer finds no sound device: connect one."
FILE = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)


class Tape(mido.ports.BaseOutput):  # type: ignore[misc]
    def _write(self, text: str) -> None:
        os.write(FILE, f"{time.perf_counter()} {self.name} {text}\n".encode())

    def _open(self, **_: Any) -> None:
        self.left = 3
        opened.add(self.name)
        self._write("open")

    def _send(self, message: Any) -> None:
        if self.name == "loose" and not self.left:
            raise RuntimeError("the cable\nis drawn")
        self.left -= 1
        self._write(message.hex(""))

    def _close(self) -> None:
        self._write("close")


real = ports.open_port
opened: set[str] = set()


def open_port(port: Port) -> Any:
    if port.kind == "silent":
        return real(port)
    if port.name == "broken":
        raise InputError("Cannot open the MIDI port 'broken'.")
    return Tape(port.name)


INPUTS = (Port("keyboard", "TAPE", "input"), Port("organ", "TAPE", "input"))


class Keyboard(mido.ports.BaseInput):  # type: ignore[misc]
    pass


def open_input(port: Port, receive: Callable[[Any], None]) -> Any:
    opened.add(port.name)
    for message in (
        mido.Message("note_on", channel=3, note=72, velocity=90),
        mido.Message("clock"),
        mido.Message("control_change", control=64, value=127),
        mido.Message("note_on", channel=3, note=72, velocity=0),
        mido.Message("note_on", note=76, velocity=70),
    ):
        receive(message)
    return Keyboard(port.name)


def main() -> None:
    names = sys.argv[2:] or ["tape"]
    found = tuple(Port(name, "TAPE", "port") for name in names if name != "none")

    def scan() -> ScanResult:
        left = (port for port in found if port.name != "fading" or port.name not in opened)
        return ScanResult(tuple(left), NO_SOUND)

    def scan_inputs() -> tuple[Port, ...]:
        if "keyless" in names:
            return ()
        return tuple(port for port in INPUTS if port.name != "organ" or port.name not in opened)

    ports.POLL_SECONDS = 0.05
    setattr(ports, "scan_inputs", scan_inputs)  # noqa: B010
    setattr(ports, "open_input", open_input)  # noqa: B010
    setattr(ports, "scan", scan)  # noqa: B010
    setattr(ports, "open_port", open_port)  # noqa: B010
    player.main()


if __name__ == "__main__":
    main()
