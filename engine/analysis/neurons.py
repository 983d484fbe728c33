"""What single units of a network keep track of, after Karpathy, Johnson & Fei-Fei 2015.

(Visualizing and Understanding Recurrent Networks.) A network reads a song; what each unit holds
after each character or frame is kept, and set against the song's features.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.analysis import song_features, song_input
from engine.analysis.song_input import InputSong, SongRequest
from engine.data.codecs import CharacterCodec, KeysCodec
from engine.errors import InputError
from engine.frames import BEGIN
from engine.inference.cells import Array
from engine.inference.models import Model
from engine.inference.network import Network
from engine.protocol import Feature, SongReading, UnitActivations, UnitCorrelation
from engine.sampling import music

MAX_UNITS = 10  # units told for each feature
_STILL = 1e-9  # a standard deviation below which nothing has changed


@dataclass(frozen=True, eq=False)
class UnitReading:
    """A song as a network has read it. Layers and units are counted from 1."""

    model: Model
    example: InputSong
    activations: Array  # (T, layers, H), −1 … 1, after each frame
    correlations: dict[str, NDArray[np.float64] | None]
    """Of each feature with every unit, (layers, H); None for one that never changes in the song."""

    def best(self, feature: str, count: int = MAX_UNITS) -> list[tuple[int, int, float]]:
        """The layer and unit most correlated with a feature, by size, and the correlation."""
        found = self.correlations[feature]
        if found is None:
            return []
        order = np.argsort(-np.abs(found).ravel(), kind="stable")[:count].tolist()
        width = found.shape[1]
        return [(1 + i // width, 1 + i % width, float(found.flat[i])) for i in order]

    def summary(self) -> SongReading:
        """Return all but the activations, for the protocol."""
        example, codec = self.example, self.model.codec
        _, layers, hidden = self.activations.shape
        text: str | None = example.text
        frames = bar = None
        if isinstance(codec, KeysCodec):
            text, bar = None, codec.frames_per_bar(example.metre)
            frames = tuple(music.frame_pitches(row, codec.planes).keys for row in example.frames)
        features = (
            Feature(
                name,
                tuple(
                    UnitCorrelation(layer, unit, round(r, 4)) for layer, unit, r in self.best(name)
                ),
            )
            for name in self.correlations
        )
        return SongReading(
            self.model.name,
            example.title,
            example.song,
            example.songs,
            example.note,
            layers,
            hidden,
            tuple(features),
            text,
            frames,
            bar,
        )

    def unit(self, layer: int, unit: int) -> UnitActivations:
        """Return a unit's activations and its correlations with the features, for the protocol.

        Raises InputError where there is no such unit.
        """
        _, layers, hidden = self.activations.shape
        if not (1 <= layer <= layers and 1 <= unit <= hidden):
            raise InputError(
                f"There is no unit {unit} in layer {layer}: {self.model.name} has layers 1 to "
                f"{layers} with units 1 to {hidden}."
            )
        values = self.activations[:, layer - 1, unit - 1].astype(np.float64)
        correlations = {
            name: round(float(found[layer - 1, unit - 1]), 4)
            for name, found in self.correlations.items()
            if found is not None
        }
        return UnitActivations(layer, unit, tuple(np.round(values, 3).tolist()), correlations)


def read_song(
    model: Model, asked: SongRequest, stopped: Callable[[], bool] = lambda: False
) -> UnitReading | None:
    """Have a network read a song; None where `stopped` said so before its end.

    Raises InputError for a model that is no network, and for a song that cannot be read.
    """
    network = model.stepper
    if not isinstance(network, Network):
        raise InputError(
            f"{model.name} counts characters and has no units: choose a network (rnn, gru, lstm)."
        )
    example = song_input.load_song(model, asked)
    activations = unit_activations(network, example.frames, example.condition, stopped)
    if activations is None:
        return None
    if isinstance(model.codec, CharacterCodec):
        found = song_features.text_features(example.text)
    else:
        bar = model.codec.frames_per_bar(example.metre)
        found = song_features.key_features(example.frames, bar, example.metre[0])
    return UnitReading(model, example, activations, correlations(activations, found))


def unit_activations(
    network: Network,
    frames: NDArray[Any],
    condition: Array | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Array | None:
    """What each unit holds after each of the frames (T, *frame) of a song, (T, layers, H).

    None where `stopped` said so before the last.
    """
    state = network.initial_state(condition, 1)
    begin = np.full_like(frames, BEGIN, shape=(1, *frames.shape[1:]))  # silence is zeros too
    network.feed(state, begin)
    result = np.empty((len(frames), len(network.layers), network.hidden), np.float32)
    for step in range(len(frames)):
        if stopped():
            return None
        network.feed(state, frames[step : step + 1])
        result[step] = network.activations(state)[0]
    return result


def correlations(
    activations: Array, found: song_features.Features
) -> dict[str, NDArray[np.float64] | None]:
    """Pearson's correlation of each feature (T,) with every unit of (T, layers, H): (layers, H).

    0 for a unit that never changes; None for a feature that never does.
    """
    T, layers, _ = activations.shape
    names = [name for name, values in found.items() if values.std() > _STILL]
    wanted = np.array([_standardised(found[name]) for name in names]).reshape(-1, T)  # (F, T)
    # One layer at a time: in double precision they are large.
    products = [wanted @ _standardised(activations[:, layer]) / T for layer in range(layers)]
    return {**dict.fromkeys(found), **dict(zip(names, np.stack(products, 1), strict=True))}


def _standardised(values: NDArray[Any]) -> NDArray[np.float64]:
    """Values (T, …) with mean 0 and deviation 1 along T; zeros where they never change."""
    centred = values - values.mean(0, dtype=np.float64)
    deviation = centred.std(0)
    result: NDArray[np.float64] = centred / np.where(deviation > _STILL, deviation, np.inf)
    return result
