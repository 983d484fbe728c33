"""The synthesizer against the parameters of its SoundFont, and as a port against the clock."""

import math
import time
from pathlib import Path
from typing import Any

import mido
import miniaudio
import numpy as np
import pytest

from engine.errors import InputError
from engine.music import soundfont, synth, synth_port
from engine.music.soundfont import Envelope, Region, SoundFont
from engine.music.synth import CONTROL_FRAMES, MAX_VOICES, RATE, Synth
from engine.music.synth_port import LATENCY, BlockRenderer, SynthPort

# Full volume while the key is held, and silence after.
FLAT = Envelope(0.0, 0.001, 0.0, 0.001, 0.0, 0.01)


class Font:
    """A SoundFont with one region."""

    def __init__(self, region: Region) -> None:
        self.region = region

    def regions(self, program: int, key: int, velocity: int) -> tuple[Region, ...]:
        return (self.region,)


def sine(period: int = 50, turns: int = 40, **fields: Any) -> Region:
    """Return a looped sine of 20,000 / 32,768, `turns` of `period` frames; the last is the loop."""
    samples = 20_000 * np.sin(2 * np.pi * np.arange(period * turns) / period)
    values: dict[str, Any] = {
        "samples": samples.astype(np.int16),
        "loop": (period * (turns - 1), period * turns),
        "rate": 22_050.0,
        "gain": 1.0,
        "pan": 0.0,
        "cutoff": 13_500,
        "mod_cutoff": 0,
        "volume": FLAT,
        "modulation": FLAT,
    }
    return Region(**{**values, **fields})


def sound(region: Region, seconds: float, held: float = math.inf) -> Any:
    """Return the left channel of a voice of the region, (n,), without the soft clip."""
    played = Synth(Font(region))  # type: ignore[arg-type]
    played.note_on(60, 127)
    held = min(held, seconds)
    frames = [played.render(round(held * RATE))]
    played.note_off(60)
    frames.append(played.render(round((seconds - held) * RATE)))
    return np.arctanh(np.concatenate(frames)[:, 0].astype(float)) / synth.LEVEL


def pitch(frames: Any) -> float:
    """Return the strongest frequency in Hz, interpolated between bins by a parabola."""
    spectrum = np.log(np.abs(np.fft.rfft(frames * np.hanning(len(frames)), 1 << 18)) + 1e-9)
    top = int(spectrum.argmax())
    low, here, high = spectrum[top - 1 : top + 2]
    return float((top + (low - high) / (2 * (low - 2 * here + high))) * RATE / (1 << 18))


@pytest.fixture(scope="module")
def font() -> SoundFont:
    return SoundFont(soundfont.bundled())


def test_a_looped_sine_stays_a_sine() -> None:
    """441 Hz at 0.61 of full scale, half of the power in each channel, over hundreds of loops."""
    frames = sound(sine(), 1.0)
    moments = np.arange(RATE) / RATE
    expected = 20_000 / 32_768 * math.sqrt(0.5) * np.sin(2 * np.pi * 441 * moments)
    assert np.abs(frames - expected)[round(0.002 * RATE) :].max() < 0.002


def test_the_filter_attenuates_as_specified() -> None:
    """Second order: 3 dB at the cutoff, 12 dB an octave above; within 2 dB between bands."""
    for octaves in np.arange(-1, 2.01, 0.25):  # of the tone over the cut-off
        cents = 1200 * (math.log2(441 / 8.176) - octaves)
        level = np.abs(sound(sine(cutoff=cents), 0.5)[RATE // 4 :]).max() / (
            20_000 / 32_768 * math.sqrt(0.5)
        )
        expected = 1 / math.sqrt(1 + 2 ** (4 * octaves))
        assert abs(20 * math.log10(level / expected)) < 2.5


def test_the_envelope_is_followed() -> None:
    """Linear attack, hold, decay in decibels to the sustain level, release to silence."""
    shape = Envelope(delay=0.05, attack=0.1, hold=0.1, decay=2.0, drop=0.2, release=0.5)
    frames = sound(sine(volume=shape), 2.0, held=1.5)
    full = 20_000 / 32_768 * math.sqrt(0.5)
    for moment, level in [
        (0.02, 0.0),
        (0.10, 0.5),
        (0.20, 1.0),
        (0.45, 10 ** (-5 * 0.1)),
        (1.20, 10 ** (-5 * 0.2)),
        (1.60, 10 ** (-5 * 0.4)),
    ]:
        near = frames[round((moment - 0.002) * RATE) : round((moment + 0.002) * RATE)]
        assert np.abs(near).max() / full == pytest.approx(level, rel=0.06, abs=1e-3)


def test_pan_sets_the_volume_of_each_channel() -> None:
    played = Synth(Font(sine(pan=-1.0)))  # type: ignore[arg-type]
    played.note_on(60, 127)
    left, right = np.abs(played.render(RATE // 10)).max(0)
    assert left > 0.25
    assert right < 1e-6


def test_a_sample_without_a_loop_ends(font: SoundFont) -> None:
    played = Synth(Font(sine(loop=None)))  # type: ignore[arg-type]
    played.note_on(60, 127)
    frames = played.render(RATE // 5)
    assert played.is_silent
    end = 2000 / 22_050  # seconds
    assert np.abs(frames[round(end * RATE) + 2 :]).max() == 0
    assert np.abs(frames[round((end - 0.002) * RATE) : round(end * RATE)]).max() > 0.1


def test_the_number_of_voices_is_limited(font: SoundFont) -> None:
    played = Synth(font)
    for key in range(21, 109):
        played.note_on(key, 100)
    assert len(played._voices) == MAX_VOICES
    assert np.abs(played.render(CONTROL_FRAMES)).max() <= 1
    played.all_sound_off()
    assert played.is_silent


@pytest.mark.parametrize("program", [0, 40, 73])  # piano, violin, flute
def test_every_key_has_its_pitch(font: SoundFont, program: int) -> None:
    """Equal temperament from 440 Hz within 12 cents, the accuracy of the SoundFont itself."""
    played = Synth(font)
    played.select_program(program)
    for key in range(48, 85, 3):
        played.all_sound_off()
        played.note_on(key, 90)
        played.render(RATE // 10)
        measured = 1200 * math.log2(pitch(played.render(RATE // 2)[:, 0]) / 440) / 100 + 69
        octaves = round((measured - key) / 12)  # an overtone may be the strongest
        assert octaves in (0, 1)
        assert abs(measured - key - 12 * octaves) < 0.12


def test_the_bundled_font_has_every_program(font: SoundFont) -> None:
    assert font.programs == list(range(128))
    loud, soft = (font.regions(0, 60, velocity)[0] for velocity in (100, 50))
    assert loud.gain == pytest.approx(4 * soft.gain)
    low, high = (font.regions(0, key, 80)[0] for key in (61, 62))
    assert high.rate / low.rate == pytest.approx(2 ** (1 / 12))


def test_a_broken_font_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "broken.sf2"
    for content in (b"", b"RIFF", b"RIFF\xff\xff\xff\x00sfbk" + bytes(60)):
        path.write_bytes(content)
        with pytest.raises(InputError, match="not a SoundFont 2 file"):
            SoundFont(path)
    with pytest.raises(InputError, match="Cannot read"):
        SoundFont(tmp_path / "none.sf2")


def _render(font: SoundFont, sizes: list[int], moments: list[float]) -> Any:
    """Return the sound if blocks of these sizes are requested on time."""
    renderer = BlockRenderer(Synth(font), 100.0)
    for number, moment in enumerate(moments):
        renderer.add(100.0 + moment, mido.Message("note_on", note=50 + number, velocity=100))
    blocks, done = [], 0
    for size in sizes:
        blocks.append(renderer.block(size, 100.0 + done / RATE))
        done += size
    return np.concatenate(blocks)[:, 0]


def test_a_message_sounds_to_the_frame_whatever_the_blocks(font: SoundFont) -> None:
    moments = [0.0123, 0.1011, 0.1012]
    one = _render(font, [20_000], moments)
    many = _render(font, [700, 1, 882, 3000, *[441] * 34], moments)
    assert np.flatnonzero(one)[0] == pytest.approx((moments[0] + LATENCY) * RATE, abs=3)
    assert np.abs(one[: len(many)] - many[: len(one)]).max() < 0.02  # the filter's steps differ
    assert np.flatnonzero(many)[0] == np.flatnonzero(one)[0]


def test_every_kind_of_message_is_applied(font: SoundFont) -> None:
    played = Synth(font)
    renderer = BlockRenderer(played, 0.0)

    def take(kind: str, **values: int) -> None:
        renderer.add(0.0, mido.Message(kind, **values))
        renderer.block(RATE // 10, 0.0)

    def settle() -> None:
        for _ in range(40):
            renderer.block(RATE // 10, 0.0)

    take("program_change", program=19)  # an organ, which does not fade by itself
    take("note_on", note=60, velocity=80)
    settle()
    assert not renderer.is_silent
    take("note_on", note=60, velocity=0)
    settle()
    assert renderer.is_silent
    take("note_on", note=60, velocity=80)
    take("note_off", note=60)
    settle()
    assert renderer.is_silent
    take("note_on", note=60, velocity=80)
    take("control_change", control=123)
    settle()
    assert renderer.is_silent
    take("note_on", note=60, velocity=80)
    take("control_change", control=120)
    assert renderer.is_silent


def test_percussion_sounds_on_its_channel_and_leaves_keys_alone(font: SoundFont) -> None:
    played = Synth(font)
    renderer = BlockRenderer(played, 0.0)
    played.prepare(19)
    prepared = len(played._tables)

    def sound(*messages: mido.Message) -> float:
        for message in messages:
            renderer.add(0.0, message)
        return float(np.abs(renderer.block(RATE // 2, 0.0)).max())

    click = mido.Message("note_on", channel=9, note=76, velocity=100)
    assert sound(click) > 0.01
    assert len(played._tables) == prepared  # a click is not delayed
    for _ in range(20):
        sound()
    assert renderer.is_silent  # a woodblock fades by itself
    take = [mido.Message("program_change", program=19), mido.Message("note_on", note=76)]
    sound(*take)
    sound(click, mido.Message("note_off", channel=9, note=76))
    assert not renderer.is_silent  # the organ's key is still down
    assert font.programs == list(range(128))


def test_a_missing_sound_device_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:

    def fail(*_: Any, **__: Any) -> None:
        raise miniaudio.MiniaudioError("failed to init device")

    monkeypatch.setattr(miniaudio, "PlaybackDevice", fail)
    with pytest.raises(InputError, match="finds no sound device: connect one"):
        SynthPort("synth")
    assert synth_port.unavailable_reason() is not None


def test_the_port_feeds_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the clock of miniaudio's null backend, without sound."""
    blocks_played: list[Any] = []

    Real: Any = miniaudio.PlaybackDevice

    class Device(Real):  # type: ignore[misc]
        def __init__(self, *values: Any, backends: Any) -> None:
            super().__init__(*values, backends=[miniaudio.Backend.NULL])

        def start(self, blocks: Any) -> None:
            def listen() -> Any:
                count = yield b""
                while True:
                    blocks_played.append(np.frombuffer(blocks.send(count), "<i2"))
                    count = yield blocks_played[-1].tobytes()

            listener = listen()
            next(listener)
            super().start(listener)

    monkeypatch.setattr(miniaudio, "PlaybackDevice", Device)
    port = SynthPort("synth")
    port.send(mido.Message("program_change", program=0))
    port.send(mido.Message("note_on", note=60, velocity=100))
    port.send(mido.Message("note_on", note=64, velocity=100))
    for _ in range(500):
        if blocks_played and np.abs(blocks_played[-1]).max() > 1000:
            break
        time.sleep(0.01)
    else:
        pytest.fail("the device received no sound")
    port.send(mido.Message("control_change", control=123))
    port.close()  # waits for the sound to fade
    assert np.abs(blocks_played[-1]).max() < 100


def test_a_device_that_stops_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Device:
        def __init__(self, *_: Any, **__: Any) -> None:
            pass

        def start(self, blocks: Any) -> None:
            self.blocks = blocks

        def close(self) -> None:
            pass

    monkeypatch.setattr(miniaudio, "PlaybackDevice", Device)
    monkeypatch.setattr(synth_port, "_DEVICE_TIMEOUT", 0.0)
    port = SynthPort("synth")
    with pytest.raises(OSError, match="the sound device has stopped"):
        port.send(mido.Message("note_on", note=60, velocity=100))
    monkeypatch.setattr(synth_port, "_DEVICE_TIMEOUT", 1e9)
    port.send(mido.Message("note_on", note=60, velocity=100))
    port.close()
