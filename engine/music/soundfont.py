"""SoundFont 2 files: the samples that sound for a key, with their pitch, gain and envelopes.

The presets and instruments of bank 0 and the drum kit are read, with their zones, samples, loops,
tuning, pan, both envelopes and the filter. Modulators, low-frequency oscillators, resonance and
effects are ignored.
Source: SoundFont Technical Specification 2.04.
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

# Records of the format (specification, section 7).
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

# Generators, the parameters of a zone (section 8.1.2): number → (name, default). Times are in
# timecents: 1200 · log2(seconds).
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
_INSTRUMENT, _KEYS, _VELOCITIES, _SAMPLE = 41, 43, 44, 53  # further generators
_FULL_RANGE = 0x7F00  # 0–127: the low byte is the lowest value, the high byte the highest
# Generators that are ignored in a preset's zones. The amounts of all others there are added to
# those of the instrument's zones.
_INSTRUMENT_ONLY = {0, 1, 2, 3, 4, 12, 45, 46, 47, 50, 54, 58, _SAMPLE}

Zone = dict[int, int]  # a zone's generators: number → amount


@dataclass(frozen=True)
class Envelope:
    """An envelope of a volume or of a filter's cutoff, with times in seconds.

    `decay` and `release` are the times of a fall over the full range, for the volume 100 dB. While
    the key is held, the envelope falls by at most `drop`, a share of that range.
    """

    delay: float
    attack: float
    hold: float
    decay: float
    drop: float
    release: float


@dataclass(frozen=True)
class Region:
    """A sample that sounds for a key and velocity, with its parameters for them."""

    samples: NDArray[np.int16]  # (n,): the sample up to its end
    loop: tuple[int, int] | None  # first frame and frame after the last; None: played once
    rate: float  # frames of the sample per second, at the key's pitch
    gain: float
    pan: float  # -1 left, 1 right
    cutoff: float  # of the low-pass filter, in cents above 8.176 Hz
    mod_cutoff: float  # cents that the modulation envelope adds at its peak
    volume: Envelope
    modulation: Envelope


def bundled() -> Path:
    """Return the path of TimGM6mb, a SoundFont with all 128 General MIDI programs.

    It is part of the package pretty_midi. Raises InputError if it is missing.
    """
    package = importlib.util.find_spec("pretty_midi")
    folders = package.submodule_search_locations if package else None
    for folder in folders or ():
        if (path := Path(folder) / "TimGM6mb.sf2").is_file():
            return path
    raise InputError("The sounds of pretty_midi (TimGM6mb.sf2) are missing: reinstall pretty_midi.")


DRUM_KIT = 128  # as a program: the standard kit, whose keys are percussion instruments


class SoundFont:
    """The presets, one for each General MIDI program, in bank 0 of a SoundFont file.

    `regions(program, key, velocity)` returns the regions that sound for a key.
    """

    def __init__(self, path: Path) -> None:
        """Read the file; raises InputError if it is not a SoundFont."""
        try:
            content = path.read_bytes()
            chunks = dict(_chunks(content, 0, len(content)))
            self._samples = np.frombuffer(chunks["smpl"], dtype="<i2")
            self._records = {
                name: np.frombuffer(chunks[name], dtype=np.dtype(fields))
                for name, fields in _RECORDS.items()
            }
        except OSError as error:
            raise InputError(f"Cannot read {path} ({error.strerror}): use a .sf2 file.") from error
        except (KeyError, ValueError, struct.error) as error:
            raise InputError(f"{path} is not a SoundFont 2 file: use another file.") from error
        headers = self._records["phdr"][:-1]  # the last one only marks the end
        self._presets = {
            int(header["program"]): number
            for number, header in enumerate(headers)
            if header["bank"] == 0
        }
        kits = (n for n, head in enumerate(headers) if (head["bank"], head["program"]) == (128, 0))
        if (kit := next(kits, None)) is not None:
            self._presets[DRUM_KIT] = kit
        self._zones = functools.cache(self._read_zones)
        self.regions = functools.cache(self._regions)

    @property
    def programs(self) -> list[int]:
        """The General MIDI programs, counted from 0, that have a preset."""
        return sorted(self._presets.keys() - {DRUM_KIT})

    def _read_zones(self, level: str, number: int) -> list[Zone]:
        """Return the zones of a preset (level "p") or an instrument ("i").

        Each zone includes the amounts of the global zone, if there is one; it is the first in the
        file and refers to no instrument or sample.
        """
        headers = self._records["phdr" if level == "p" else "inst"]
        bags, generators = self._records[f"{level}bag"], self._records[f"{level}gen"]
        target = _INSTRUMENT if level == "p" else _SAMPLE
        common: Zone = {}
        zones: list[Zone] = []
        for bag in range(headers[number]["bag"], headers[number + 1]["bag"]):
            rows = generators[bags[bag]["generator"] : bags[bag + 1]["generator"]]
            zone = {int(row["kind"]): int(row["amount"]) for row in rows}
            if target in zone:
                zones.append(common | zone)
            elif not zones:
                common = zone
        return zones

    def _regions(self, program: int, key: int, velocity: int) -> tuple[Region, ...]:
        """Return the regions that sound for a key and velocity, both 0–127.

        program: of General MIDI, or DRUM_KIT. A program that is missing is replaced by the first
        one in the file; a drum kit that is missing stays silent.
        """
        first = None if program == DRUM_KIT else next(iter(self._presets.values()), None)
        preset = self._presets.get(program, first)
        if preset is None:
            return ()
        return tuple(
            self._region(preset_zone, zone, key, velocity)
            for preset_zone in self._zones("p", preset)
            if _covers(preset_zone, key, velocity)
            for zone in self._zones("i", preset_zone[_INSTRUMENT])
            if _covers(zone, key, velocity)
        )

    def _region(self, preset_zone: Zone, zone: Zone, key: int, velocity: int) -> Region:
        amounts = {
            name: zone.get(kind, default)
            + (preset_zone.get(kind, 0) if kind not in _INSTRUMENT_ONLY else 0)
            for kind, (name, default) in _GENERATORS.items()
        }
        header = self._records["shdr"][zone[_SAMPLE]]
        if amounts["fixed_key"] >= 0:
            key = amounts["fixed_key"]
        if amounts["fixed_velocity"] >= 0:
            velocity = amounts["fixed_velocity"]

        def offset(name: str) -> int:
            return int(header[name]) + amounts[name] + 32768 * amounts[f"{name}_coarse"]

        start, loop = offset("start"), (offset("loop_start"), offset("loop_end"))
        looped = amounts["mode"] in (1, 3) and loop[0] + 1 < loop[1]
        root = amounts["root"] if amounts["root"] >= 0 else int(header["key"])
        cents = (key - root) * amounts["scale"] + int(header["correction"])
        cents += 100 * amounts["coarse_tune"] + amounts["fine_tune"]
        # SoundFonts are tuned by ear to sound cards that applied 0.4 of the attenuation.
        decibels = -0.4 * amounts["attenuation"] / 10
        return Region(
            samples=self._samples[start : loop[1] if looped else offset("end")],
            loop=(loop[0] - start, loop[1] - start) if looped else None,
            rate=float(header["rate"]) * 2 ** (cents / 1200),
            gain=10 ** (decibels / 20) * (velocity / 127) ** 2,
            pan=min(1.0, max(-1.0, amounts["pan"] / 500)),
            cutoff=amounts["cutoff"],
            mod_cutoff=amounts["mod_cutoff"],
            volume=_envelope(amounts, "volume", key),
            modulation=_envelope(amounts, "mod", key),
        )


def _chunks(content: bytes, start: int, stop: int) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of the innermost chunks of a RIFF file."""
    while start + 8 <= stop:
        name, size = struct.unpack_from("<4sI", content, start)
        if name in (b"RIFF", b"LIST"):
            yield from _chunks(content, start + 12, start + 8 + size)
        else:
            yield name.decode("latin-1"), content[start + 8 : start + 8 + size]
        start += 8 + size + size % 2


def _covers(zone: Zone, key: int, velocity: int) -> bool:
    keys, velocities = zone.get(_KEYS, _FULL_RANGE), zone.get(_VELOCITIES, _FULL_RANGE)
    return keys & 0xFF <= key <= keys >> 8 and velocities & 0xFF <= velocity <= velocities >> 8


def _envelope(amounts: dict[str, int], name: str, key: int) -> Envelope:
    def seconds(part: str, minimum: float) -> float:
        cents: Any = amounts[f"{name}_{part}"]
        if part in ("hold", "decay"):
            cents += (60 - key) * amounts[f"{name}_key_{part}"]
        return max(minimum, float(2 ** (min(cents, 8000) / 1200)))

    return Envelope(
        delay=seconds("delay", 0) if amounts[f"{name}_delay"] > -12000 else 0.0,
        attack=seconds("attack", 0.001),
        hold=seconds("hold", 0),
        decay=seconds("decay", 0.001),
        drop=min(1.0, max(0.0, amounts[f"{name}_sustain"] / 1000)),
        release=seconds("release", 0.005),
    )
