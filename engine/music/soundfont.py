"""SoundFont 2 files: which sample sounds for a key, how high, how loud and in what shape.

What is read: presets and instruments of bank 0 with their zones, samples, loops, tuning, pan, both
envelopes and the filter. Modulators, low-frequency oscillators, resonance and effects are left out.
"""

import functools
import importlib.util
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import InputError

# The records of the format, SoundFont Technical Specification 2.04, section 7.
_RECORDS = {
    "phdr": [("name", "S20"), ("program", "<u2"), ("bank", "<u2"), ("bag", "<u2"), ("rest", "V12")],
    "pbag": [("generator", "<u2"), ("modulator", "<u2")],
    "pgen": [("kind", "<u2"), ("amount", "<i2")],
    "inst": [("name", "S20"), ("bag", "<u2")],
    "ibag": [("generator", "<u2"), ("modulator", "<u2")],
    "igen": [("kind", "<u2"), ("amount", "<i2")],
    "shdr": [
        ("name", "S20"),
        ("start", "<u4"),
        ("end", "<u4"),
        ("loop_start", "<u4"),
        ("loop_end", "<u4"),
        ("rate", "<u4"),
        ("key", "u1"),
        ("correction", "i1"),
        ("link", "<u2"),
        ("type", "<u2"),
    ],
}

# Generators, section 8.1.2 there: number → (name, default). Times are in timecents, log2 s × 1200.
_GENERATORS = {
    0: ("start", 0),
    1: ("end", 0),
    2: ("loop_start", 0),
    3: ("loop_end", 0),
    4: ("start_coarse", 0),
    8: ("cutoff", 13500),
    11: ("mod_cutoff", 0),
    12: ("end_coarse", 0),
    17: ("pan", 0),
    25: ("mod_delay", -12000),
    26: ("mod_attack", -12000),
    27: ("mod_hold", -12000),
    28: ("mod_decay", -12000),
    29: ("mod_sustain", 0),
    30: ("mod_release", -12000),
    31: ("mod_key_hold", 0),
    32: ("mod_key_decay", 0),
    33: ("volume_delay", -12000),
    34: ("volume_attack", -12000),
    35: ("volume_hold", -12000),
    36: ("volume_decay", -12000),
    37: ("volume_sustain", 0),
    38: ("volume_release", -12000),
    39: ("volume_key_hold", 0),
    40: ("volume_key_decay", 0),
    45: ("loop_start_coarse", 0),
    46: ("fixed_key", -1),
    47: ("fixed_velocity", -1),
    48: ("attenuation", 0),
    50: ("loop_end_coarse", 0),
    51: ("coarse_tune", 0),
    52: ("fine_tune", 0),
    54: ("mode", 0),
    56: ("scale", 100),
    58: ("root", -1),
}
_INSTRUMENT, _KEYS, _VELOCITIES, _SAMPLE = 41, 43, 44, 53
_EVERY = 0x7F00  # the range 0–127: low byte the lowest, high byte the highest
# In a preset these say nothing; everything else there is added to what the instrument says.
_INSTRUMENT_ONLY = {0, 1, 2, 3, 4, 12, 45, 46, 47, 50, 54, 58, _SAMPLE}

Zone = dict[int, int]  # generator → amount


@dataclass(frozen=True)
class Envelope:
    """Delay, attack, hold, decay to a level, release; times in seconds.

    It falls by the whole of its range (100 dB of loudness) in `decay` or `release`, and while the
    key is down by the share `drop` of it at most.
    """

    delay: float
    attack: float
    hold: float
    decay: float
    drop: float
    release: float


@dataclass(frozen=True)
class Region:
    """One sample as it sounds for one key and velocity."""

    samples: NDArray[np.int16]  # (n,): the sample up to its end
    loop: tuple[int, int] | None  # first frame, and the one after the last; None: played once
    ratio: float  # frames of the sample in a second
    gain: float
    pan: float  # -1 left, 1 right
    cutoff: float  # of the low-pass filter, in cents over 8.176 Hz
    mod_cutoff: float  # cents that the modulation envelope adds at its top
    volume: Envelope
    modulation: Envelope


def bundled() -> Path:
    """The SoundFont that the pretty_midi package carries: TimGM6mb, all 128 General MIDI sounds.

    Raises InputError where it is missing.
    """
    package = importlib.util.find_spec("pretty_midi")
    folders = package.submodule_search_locations if package else None
    for folder in folders or ():
        if (path := Path(folder) / "TimGM6mb.sf2").is_file():
            return path
    raise InputError("The sounds of pretty_midi (TimGM6mb.sf2) are missing: reinstall pretty_midi.")


class SoundFont:
    """A file's presets of bank 0."""

    def __init__(self, path: Path) -> None:
        """Read the file; raises InputError when it is no SoundFont."""
        try:
            content = path.read_bytes()
            chunks = dict(_chunks(content, 0, len(content)))
            self._samples = np.frombuffer(chunks["smpl"], dtype="<i2")
            self._records = {
                name: np.frombuffer(chunks[name], dtype=np.dtype(fields))
                for name, fields in _RECORDS.items()
            }
        except OSError as error:
            raise InputError(f"Cannot read {path} ({error.strerror}): give a .sf2 file.") from error
        except (KeyError, ValueError, struct.error) as error:
            raise InputError(f"{path} is no SoundFont 2 file: give another.") from error
        heads = self._records["phdr"][:-1]  # the last one only marks the end
        self._presets = {
            int(head["program"]): number for number, head in enumerate(heads) if head["bank"] == 0
        }
        self._zones = functools.cache(self._read_zones)
        self.regions = functools.cache(self._regions)

    @property
    def programs(self) -> list[int]:
        """The General MIDI programs (from 0) that it has sounds for."""
        return sorted(self._presets)

    def _read_zones(self, level: str, number: int) -> list[Zone]:
        """The zones of a preset (level "p") or an instrument ("i"), with their common values."""
        heads = self._records["phdr" if level == "p" else "inst"]
        bags, generators = self._records[f"{level}bag"], self._records[f"{level}gen"]
        target = _INSTRUMENT if level == "p" else _SAMPLE
        common: Zone = {}
        zones: list[Zone] = []
        for bag in range(heads[number]["bag"], heads[number + 1]["bag"]):
            rows = generators[bags[bag]["generator"] : bags[bag + 1]["generator"]]
            zone = {int(row["kind"]): int(row["amount"]) for row in rows}
            if target in zone:
                zones.append(common | zone)
            elif not zones:
                common = zone
        return zones

    def _regions(self, program: int, key: int, velocity: int) -> tuple[Region, ...]:
        """What sounds when the key (0–127) is struck; the first program where this one is not."""
        preset = self._presets.get(program, next(iter(self._presets.values()), None))
        if preset is None:
            return ()
        return tuple(
            self._region(outer, zone, key, velocity)
            for outer in self._zones("p", preset)
            if _covers(outer, key, velocity)
            for zone in self._zones("i", outer[_INSTRUMENT])
            if _covers(zone, key, velocity)
        )

    def _region(self, preset: Zone, zone: Zone, key: int, velocity: int) -> Region:
        amounts = {
            name: zone.get(kind, default)
            + (preset.get(kind, 0) if kind not in _INSTRUMENT_ONLY else 0)
            for kind, (name, default) in _GENERATORS.items()
        }
        head = self._records["shdr"][zone[_SAMPLE]]
        if amounts["fixed_key"] >= 0:
            key = amounts["fixed_key"]
        if amounts["fixed_velocity"] >= 0:
            velocity = amounts["fixed_velocity"]

        def place(name: str) -> int:
            return int(head[name]) + amounts[name] + 32768 * amounts[f"{name}_coarse"]

        start, loop = place("start"), (place("loop_start"), place("loop_end"))
        looped = amounts["mode"] in (1, 3) and loop[0] + 1 < loop[1]
        root = amounts["root"] if amounts["root"] >= 0 else int(head["key"])
        cents = (key - root) * amounts["scale"] + int(head["correction"])
        cents += 100 * amounts["coarse_tune"] + amounts["fine_tune"]
        # Banks are tuned by ear to sound cards that applied 0.4 of the attenuation asked for.
        decibels = -0.4 * amounts["attenuation"] / 10
        return Region(
            samples=self._samples[start : loop[1] if looped else place("end")],
            loop=(loop[0] - start, loop[1] - start) if looped else None,
            ratio=float(head["rate"]) * 2 ** (cents / 1200),
            gain=10 ** (decibels / 20) * (velocity / 127) ** 2,
            pan=min(1.0, max(-1.0, amounts["pan"] / 500)),
            cutoff=amounts["cutoff"],
            mod_cutoff=amounts["mod_cutoff"],
            volume=_envelope(amounts, "volume", key),
            modulation=_envelope(amounts, "mod", key),
        )


def _chunks(content: bytes, start: int, stop: int) -> Iterator[tuple[str, bytes]]:
    """The innermost chunks of a RIFF file."""
    while start + 8 <= stop:
        name, size = struct.unpack_from("<4sI", content, start)
        if name in (b"RIFF", b"LIST"):
            yield from _chunks(content, start + 12, start + 8 + size)
        else:
            yield name.decode("latin-1"), content[start + 8 : start + 8 + size]
        start += 8 + size + size % 2


def _covers(zone: Zone, key: int, velocity: int) -> bool:
    keys, velocities = zone.get(_KEYS, _EVERY), zone.get(_VELOCITIES, _EVERY)
    return keys & 0xFF <= key <= keys >> 8 and velocities & 0xFF <= velocity <= velocities >> 8


def _envelope(amounts: dict[str, int], name: str, key: int) -> Envelope:
    def seconds(part: str, shortest: float) -> float:
        cents: Any = amounts[f"{name}_{part}"]
        if part in ("hold", "decay"):
            cents += (60 - key) * amounts[f"{name}_key_{part}"]
        return max(shortest, float(2 ** (min(cents, 8000) / 1200)))

    return Envelope(
        delay=seconds("delay", 0) if amounts[f"{name}_delay"] > -12000 else 0.0,
        attack=seconds("attack", 0.001),
        hold=seconds("hold", 0),
        decay=seconds("decay", 0.001),
        drop=min(1.0, max(0.0, amounts[f"{name}_sustain"] / 1000)),
        release=seconds("release", 0.005),
    )
