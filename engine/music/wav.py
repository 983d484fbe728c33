"""A score as a WAV file, by the same synthesizer that plays it aloud."""

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

MAX_SECONDS = 3600.0  # seconds
_TAIL = 10.0  # seconds that the last notes may take to fade


def synthesize(score: Score) -> Frames:
    """The sound of a score, (n, 2) at `synth.RATE` within -1 … 1, until its last note has faded.

    Raises InputError for one over an hour.
    """
    if score.end > MAX_SECONDS:
        raise InputError(
            f"The song takes {score.end / 60:.0f} minutes: a WAV file is written of "
            f"{MAX_SECONDS / 60:.0f} minutes at most."
        )
    synth = Synth(SoundFont(soundfont.bundled()))
    synth.select_program(score.program)
    blocks: list[Frames] = []
    done = 0  # frames
    for moment, key in transport.key_events(score.notes):
        blocks.append(synth.render(round(moment * RATE) - done))
        done = round(moment * RATE)
        if key.velocity:
            synth.note_on(key.pitch, key.velocity)
        else:
            synth.note_off(key.pitch)
    for _ in range(round(_TAIL * 10)):
        if synth.is_silent:
            break
        blocks.append(synth.render(RATE // 10))
    return np.concatenate(blocks) if blocks else np.zeros((0, 2), np.float32)


def write(score: Score, path: Path) -> None:
    """Write the score's sound to `path`: 16-bit stereo, 44.1 kHz; whole or not at all."""
    sound = synthesize(score)
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.round(sound * 32767).astype("<i2").tobytes())
    files.write_atomic(path, content.getvalue())
