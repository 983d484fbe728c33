"""Scores as WAV files, rendered by the built-in synthesizer."""

import io
import wave
from pathlib import Path

import numpy as np

from engine import files
from engine.errors import InputError
from engine.music import soundfont, transport
from engine.music.score import Score
from engine.music.soundfont import SoundFont
from engine.music.synth import RATE, Frames, Synth

MAX_SECONDS = 3600.0
PEAK = 10 ** (-1 / 20)  # of a file: -1 dBFS, which leaves room for a conversion to MP3
_FADE_SECONDS = 10.0  # maximum for the last notes to fade after their ends


def synthesize(score: Score) -> Frames:
    """Return the sound of a score with its fading: stereo frames (n, 2), −1 … 1, at `synth.RATE`.

    Its peak is PEAK: the synthesizer's own level leaves room for more notes than most music has.
    Raises InputError for a score of over an hour.
    """
    if score.end > MAX_SECONDS:
        raise InputError(
            f"The music takes {score.end / 60:.0f} minutes, and a WAV file can have up to "
            f"{MAX_SECONDS / 60:.0f}: save it as a MIDI file."
        )
    synth = Synth(SoundFont(soundfont.bundled()))
    synth.select_program(score.program)
    blocks: list[Frames] = []
    done = 0  # number of frames so far
    for moment, event in transport.key_events(score.notes):
        blocks.append(synth.render(round(moment * RATE) - done))
        done = round(moment * RATE)
        if event.velocity:
            synth.note_on(event.pitch, event.velocity)
        else:
            synth.note_off(event.pitch)
    for _ in range(round(_FADE_SECONDS * 10)):
        if synth.is_silent:
            break
        blocks.append(synth.render(RATE // 10))
    sound = np.concatenate(blocks) if blocks else np.zeros((0, 2), np.float32)
    peak = float(np.abs(sound).max(initial=0))
    if peak:
        sound *= PEAK / peak
    return sound


def encode(sound: Frames, rate: int = RATE) -> bytes:
    """Return the content of a 16-bit WAV file of n samples in c channels, (n, c)."""
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(sound.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.round(sound * 32767).astype("<i2").tobytes())
    return content.getvalue()


def write(score: Score, path: Path) -> None:
    """Write the sound of a score as 16-bit stereo at 44.1 kHz, complete or not at all."""
    files.write_atomic(path, encode(synthesize(score)))
