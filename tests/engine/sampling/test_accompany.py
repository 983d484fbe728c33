"""An accompanist adds keys beneath what is played, in its key."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.data.music_keys import TrainedKeys
from engine.errors import InputError
from engine.inference import models
from engine.sampling.accompany import SETTLE_FRAMES, Accompanist

WriteMusic = Callable[..., Path]
TUNE = [(74,), (76,), (78, 81), (), (79,), (78,), (74,)]


@pytest.mark.parametrize("planes", [1, 2])
@pytest.mark.parametrize("head", ["joint", "independent"])
def test_added_keys_are_below_what_is_played(
    write_music: WriteMusic, tmp_path: Path, head: str, planes: int
) -> None:
    model = models.load(str(write_music(tmp_path / "model", planes, head=head)))
    first, again, other = (Accompanist(model, seed=seed) for seed in (1, 1, 2))
    limit, added, different = 0, 0, False
    for keys in TUNE:
        limit = max(keys, default=limit)
        frame = first.add(keys, keys)
        assert frame == again.add(keys, keys)
        different |= frame != other.add(keys, keys)
        assert all(21 <= pitch < limit for pitch in frame.keys)
        assert not {*frame.keys} & {*keys}
        assert (frame.onsets is None) == (planes == 1)
        assert {*(frame.onsets or ())} <= {*frame.keys}
        added += len(frame.keys)
    assert added
    assert different


def test_the_model_sees_the_tonic_at_c_also_after_a_change_of_key(
    write_music: WriteMusic, tmp_path: Path
) -> None:
    """Two accompanists, of a tune and of it a tone higher, add the same keys, a tone apart."""
    model = models.load(str(write_music(tmp_path / "model", keys=TrainedKeys(0, 0))))
    low, high = Accompanist(model, seed=1), Accompanist(model, seed=1)
    tune = [60, 64, 67, 72, 71, 67, 65, 64] * 3
    for pitch in tune[: SETTLE_FRAMES + 4]:
        one, two = low.add((pitch,), ()), high.add((pitch + 2,), ())
        # Not the lowest keys, which are on the piano in one of the keys only.
        assert [key + 2 for key in one.keys if key > 30] == [key for key in two.keys if key > 32]


def test_invalid_requests_are_refused(write_music: WriteMusic, tmp_path: Path) -> None:
    model = models.load(str(write_music(tmp_path / "model")))
    with pytest.raises(InputError, match="The keys must be MIDI pitches from 21 to 108"):
        Accompanist(model).add((20,), ())
    with pytest.raises(InputError, match="Temperature must be"):
        Accompanist(model, temperature=-1)
