"""Ports: chosen by name, listed by a process of their own, opened."""

import dataclasses
import json
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import mido
import pytest

from engine import processes
from engine.errors import InputError, WorkError
from engine.music import ports, synth_port
from engine.music.ports import ScanResult, choose
from engine.protocol import Port

THROUGH = Port("Midi Through:Midi Through Port-0 14:0", "LINUX_ALSA", "port")
FLUID = Port("FLUID Synth (41):Synth input port (41:0) 128:0", "LINUX_ALSA", "port")
JACK = Port("fluidsynth-midi:midi_00", "UNIX_JACK", "port")
SYNTH = ports.SYNTH
VIRTUAL = Port("rnn-tui", "LINUX_ALSA", "virtual")
ALL = ScanResult((THROUGH, FLUID, JACK, SYNTH, VIRTUAL))


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        (JACK.name, JACK),
        ("synth", SYNTH),  # a whole name before a part of others
        ("rnn-tui", VIRTUAL),
        ("through", THROUGH),
        ("FLUID S", FLUID),
        ("midi_00", JACK),
        (None, FLUID),
    ],
)
def test_a_port_is_found_by_its_name_or_a_part_of_it(name: str | None, wanted: Port) -> None:
    assert choose(name, ALL) == wanted


def test_without_a_name_a_port_with_sound_is_chosen() -> None:
    assert choose(None, ScanResult((THROUGH, JACK))) == JACK
    assert choose(None, ScanResult((THROUGH, SYNTH, VIRTUAL))) == SYNTH
    with pytest.raises(WorkError) as error:
        choose(
            None, ScanResult((THROUGH, VIRTUAL), "The built-in synthesizer is missing: install it.")
        )
    assert str(error.value) == (
        "There is no MIDI port to play on, and the built-in synthesizer is missing: install it."
    )
    with pytest.raises(WorkError, match=r"There is no MIDI port to play on, and .*\.$"):
        choose(None, ScanResult(()))


@pytest.mark.parametrize(
    ("name", "found", "message"),
    [
        ("flud syn", ALL, "port 'flud syn': use 'synth' or 'fluidsynth-midi:midi_00'."),
        ("fluid", ALL, f"could be '{FLUID.name}' or '{JACK.name}': give more"),
        (
            "x",
            ScanResult(()),
            "There is no MIDI port 'x': no ports were found; connect a synthesizer.",
        ),
        ("x", ScanResult((JACK,)), f"There is no MIDI port 'x': use '{JACK.name}'."),
        ("rnn-tui", ScanResult((JACK,)), "This system cannot make a virtual MIDI port"),
        ("synth", ScanResult((JACK,), "It is missing."), "It is missing."),
    ],
)
def test_a_name_that_fits_no_port_or_several_is_refused(
    name: str, found: ScanResult, message: str
) -> None:
    with pytest.raises(InputError) as error:
        choose(name, found)
    assert message in str(error.value)


def test_the_silent_port_accepts_every_message_and_is_found_by_its_name_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ports, "scan", lambda: ScanResult((), "No sound."))
    assert ports.find("silent") == ports.SILENT
    with pytest.raises(WorkError):
        ports.find(None)
    port = ports.open_port(ports.SILENT)
    port.send(mido.Message("note_on", note=60))
    port.close()


def test_a_scan_writes_nothing_to_the_screen(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A scan of this machine, in a process of its own."""
    found = ports.scan()
    assert (found.synth_error is None) == (SYNTH in found.ports)
    assert all(port.name and port.api for port in found.ports)
    kinds = [port.kind for port in found.ports]
    assert kinds == sorted(kinds, key=["port", "synth", "virtual"].index)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("code", ["import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "1/0"])
def test_ports_printed_before_a_crash_are_kept(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    lines = [json.dumps(dataclasses.asdict(port)) for port in (VIRTUAL, JACK)]
    lines += ["noise", "[]", '{"name": "half a por']
    script = f"print({chr(10).join(lines)!r}, flush=True); {code}"
    monkeypatch.setattr(processes, "command", lambda _: (sys.executable, "-c", script))
    assert ports.scan() == ScanResult((JACK, VIRTUAL))


def test_a_scan_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    line = json.dumps(dataclasses.asdict(JACK))
    script = f"import time; print({line!r}, flush=True); time.sleep(60)"
    monkeypatch.setattr(processes, "command", lambda _: (sys.executable, "-c", script))
    monkeypatch.setattr(ports, "SCAN_TIMEOUT", 1.0)
    assert ports.scan() == ScanResult((JACK,))


def test_a_scan_that_cannot_be_started_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "command", lambda _: ("/no/such/python",))
    with pytest.raises(WorkError, match=r"^Cannot list the MIDI ports \(No such file"):
        ports.scan()


class Output:
    """An rtmidi output of one of three APIs, the first of which does not run."""

    deleted: list[int] = []  # noqa: RUF012 (a log)

    def __init__(self, api: int) -> None:
        if api == 1:
            raise SystemError("no sequencer")
        self.api = api

    def get_ports(self) -> list[str]:
        return {2: ["grand", "upright"], 3: ["harp"]}[self.api]

    def delete(self) -> None:
        self.deleted.append(self.api)


def test_every_api_is_listed_and_one_that_fails_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake = SimpleNamespace(
        API_UNSPECIFIED=0,
        API_LINUX_ALSA=1,
        API_UNIX_JACK=2,
        API_WINDOWS_MM=3,
        API_RTMIDI_DUMMY=4,
        get_compiled_api=lambda: [4, 3, 1, 2],
        MidiOut=Output,
    )
    monkeypatch.setitem(sys.modules, "rtmidi", fake)
    monkeypatch.setattr(synth_port, "unavailable_reason", lambda: None)
    assert list(ports._probe()) == [
        {"name": "synth", "api": "miniaudio", "kind": "synth"},
        {"name": "harp", "api": "WINDOWS_MM", "kind": "port"},
        {"name": "grand", "api": "UNIX_JACK", "kind": "port"},
        {"name": "upright", "api": "UNIX_JACK", "kind": "port"},
        {"name": "rnn-tui", "api": "UNIX_JACK", "kind": "virtual"},
    ]
    assert Output.deleted == [3, 2]
    monkeypatch.setattr(synth_port, "unavailable_reason", lambda: "It is missing.")
    assert next(ports._probe()) == {"trouble": "It is missing."}


def test_without_rtmidi_the_synthesizer_plays_and_a_sentence_names_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "rtmidi", None)
    monkeypatch.setattr(synth_port, "unavailable_reason", lambda: None)
    script = f"import json\nfor each in {list(ports._probe())!r}: print(json.dumps(each))"
    monkeypatch.setattr(processes, "command", lambda _: (sys.executable, "-c", script))
    found = ports.scan()
    assert found == ScanResult((ports.SYNTH,), None, ports.NO_RTMIDI)
    assert ports.choose(None, found) == ports.SYNTH
    for name in ("grand", ports.VIRTUAL):
        with pytest.raises(InputError, match="MIDI ports need the package python-rtmidi"):
            ports.choose(name, found)
    script = f"print({json.dumps({'no_midi': ports.NO_RTMIDI})!r})"
    with pytest.raises(InputError, match="MIDI ports need the package python-rtmidi"):
        ports.scan_inputs()


def test_a_port_is_opened_by_its_api_without_a_client_name(monkeypatch: pytest.MonkeyPatch) -> None:
    import mido

    calls: list[Any] = []

    class Backend:
        def __init__(self, name: str) -> None:
            self.name = name

        def open_output(self, name: str, **values: Any) -> str:
            calls.append((self.name, name, values))
            if name == "gone":
                raise OSError("unknown port 'gone'")
            return "open"

    monkeypatch.setattr(mido, "Backend", Backend)
    assert ports.open_port(JACK) == ports.open_port(VIRTUAL) == "open"
    assert calls == [
        ("mido.backends.rtmidi/UNIX_JACK", JACK.name, {"virtual": False}),
        ("mido.backends.rtmidi/LINUX_ALSA", "rnn-tui", {"virtual": True}),
    ]
    with pytest.raises(InputError, match="Cannot open the MIDI port 'gone'"):
        ports.open_port(Port("gone", "UNIX_JACK", "port"))


def test_the_player_and_the_ports_need_no_torch_or_textual() -> None:
    script = (
        "import sys, engine.music.player, engine.music.wav_file; "
        "print([m for m in ('torch', 'textual', 'rich', 'tui', 'scipy', 'pretty_midi', "
        "'rtmidi', 'miniaudio', 'engine.data', 'engine.model') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
