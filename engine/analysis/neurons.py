"""Find the features of a song that single units of a network track.

A network reads a song; the activation of each unit after each character or frame is recorded, and
correlated with the song's features (`engine.analysis.song_features`). After Karpathy, Johnson &
Fei-Fei 2015 (Visualizing and Understanding Recurrent Networks). T: characters or frames; H: units
of a layer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.analysis import song_input
from engine.analysis.song_features import Features, key_features, text_features
from engine.analysis.song_input import InputSong, SongRequest
from engine.config import CELL_SPECS
from engine.data.codecs import CharacterCodec, KeysCodec
from engine.errors import InputError
from engine.frame_spec import BEGIN
from engine.inference.cells import Array
from engine.inference.models import Model
from engine.inference.network import Network
from engine.protocol import Feature, SongReading, UnitActivations, UnitCorrelation
from engine.sampling import music

MAX_UNITS = 10  # units listed for each feature
_MIN_DEVIATION = 1e-9  # a value with a smaller standard deviation counts as constant


@dataclass(frozen=True, eq=False)
class UnitReading:
    """The activations of a network's units while it read a song. Layers and units count from 1."""

    model: Model
    song: InputSong
    activations: Array  # (T, layers, H), −1 … 1, after each frame
    # By feature: its correlation with each unit, (layers, H); None: it is constant in this song.
    correlations: dict[str, NDArray[np.float64] | None]

    def best(self, feature: str, count: int = MAX_UNITS) -> list[tuple[int, int, float]]:
        """Return the units that correlate most with a feature, as (layer, unit, correlation).

        The list is empty for a feature that is constant in this song.
        """
        values = self.correlations[feature]
        if values is None:
            return []
        order = np.argsort(-np.abs(values).ravel(), kind="stable")[:count].tolist()
        width = values.shape[1]
        return [(1 + i // width, 1 + i % width, float(values.flat[i])) for i in order]

    def summary(self) -> SongReading:
        """Return the song and the best units of each feature, as a value of the protocol."""
        song, codec = self.song, self.model.codec
        _, layers, hidden = self.activations.shape
        frames = bar = None
        if isinstance(codec, KeysCodec):
            bar = _frames_per_bar(codec, song)
            frames = tuple(music.frame_pitches(row, codec.planes).keys for row in song.frames)
        return SongReading(
            model=self.model.name,
            title=song.title,
            song=song.song,
            songs=song.songs,
            note=song.note,
            layers=layers,
            hidden=hidden,
            features=tuple(self._feature(name) for name in self.correlations),
            text=None if isinstance(codec, KeysCodec) else song.text,
            frames=frames,
            bar=bar,
        )

    def _feature(self, name: str) -> Feature:
        units = (UnitCorrelation(layer, unit, round(r, 4)) for layer, unit, r in self.best(name))
        return Feature(name, tuple(units))

    def unit(self, layer: int, unit: int) -> UnitActivations:
        """Return a unit's activations and its correlation with each feature, for the protocol.

        Raises InputError for a layer or unit that the network does not have.
        """
        _, layers, hidden = self.activations.shape
        if not (1 <= layer <= layers and 1 <= unit <= hidden):
            raise InputError(
                f"There is no unit {unit} in layer {layer}: {self.model.name} has layers 1 to "
                f"{layers} with units 1 to {hidden}."
            )
        values = self.activations[:, layer - 1, unit - 1].astype(np.float64)
        correlations = {
            name: round(float(of_units[layer - 1, unit - 1]), 4)
            for name, of_units in self.correlations.items()
            if of_units is not None
        }
        return UnitActivations(layer, unit, tuple(np.round(values, 3).tolist()), correlations)


def read_song(
    model: Model, request: SongRequest, stopped: Callable[[], bool] = lambda: False
) -> UnitReading | None:
    """Let a network read a song and correlate its units; return None if stopped before the end.

    Raises InputError for an n-gram model, and for a song that cannot be read.
    """
    network = model.stepper
    if not isinstance(network, Network):
        raise InputError(
            f"{model.name} is an n-gram model and has no units: use a network "
            f"({', '.join(CELL_SPECS)})."
        )
    song = song_input.load_song(model, request)
    activations = unit_activations(network, song.frames, song.condition, stopped)
    if activations is None:
        return None
    if isinstance(model.codec, CharacterCodec):
        features = text_features(song.text)
    else:
        bar = _frames_per_bar(model.codec, song)
        features = key_features(song.frames, bar, song.time_signature[0])
    return UnitReading(model, song, activations, correlations(activations, features))


def unit_activations(
    network: Network,
    frames: NDArray[Any],
    condition: Array | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Array | None:
    """Return the activation of each unit after each frame of a song, (T, layers, H).

    frames: (T, *frame). Returns None if it was stopped before the last frame.
    """
    state = network.initial_state(condition, 1)
    begin = np.full_like(frames, BEGIN, shape=(1, *frames.shape[1:]))  # 0, for keys silence
    network.feed(state, begin)
    result = np.empty((len(frames), len(network.layers), network.hidden), np.float32)
    for step in range(len(frames)):
        if stopped():
            return None
        network.feed(state, frames[step : step + 1])
        result[step] = network.activations(state)[0]
    return result


def correlations(activations: Array, features: Features) -> dict[str, NDArray[np.float64] | None]:
    """Return the Pearson correlations of each feature with all units, (layers, H), by feature.

    activations: (T, layers, H). The correlation with a constant unit is 0; a constant feature has
    None in place of correlations.
    """
    T, layers, _ = activations.shape
    names = [name for name, values in features.items() if values.std() > _MIN_DEVIATION]
    rows = np.array([_standardize(features[name]) for name in names]).reshape(-1, T)  # (F, T)
    # One layer at a time, to save memory: the values are copied as float64.
    products = [rows @ _standardize(activations[:, layer]) / T for layer in range(layers)]
    return {**dict.fromkeys(features), **dict(zip(names, np.stack(products, 1), strict=True))}


def _standardize(values: NDArray[Any]) -> NDArray[np.float64]:
    """Scale values (T, …) to mean 0 and standard deviation 1 along T; constant ones become 0."""
    centered = values - values.mean(0, dtype=np.float64)
    deviation = centered.std(0)
    result: NDArray[np.float64] = centered / np.where(deviation > _MIN_DEVIATION, deviation, np.inf)
    return result


def _frames_per_bar(codec: KeysCodec, song: InputSong) -> float:
    return codec.at_tempo(song.tempo or codec.tempo).frames_per_bar(song.time_signature)
