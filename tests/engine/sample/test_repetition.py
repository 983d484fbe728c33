"""The penalty on repetition against its definition, written out over all places of the text."""

from hypothesis import given
from hypothesis import strategies as st

from engine.sample.repetition import FREE, LONGEST, WINDOW, penalties


def naive(frames: list[int], strength: float) -> dict[int, float]:
    frames = frames[-WINDOW:]
    result: dict[int, float] = {}
    for place in range(1, len(frames)):  # the frame that followed a stretch before it
        length = 0
        while length < min(place, LONGEST) and frames[place - 1 - length] == frames[-1 - length]:
            length += 1
        if length > FREE:
            loss = strength * (length - FREE)
            result[frames[place]] = max(result.get(frames[place], 0.0), loss)
    return result


@given(st.lists(st.integers(3, 4), max_size=80), st.integers(0, 40), st.floats(0.1, 5))
def test_equals_its_definition(frames: list[int], again: int, strength: float) -> None:
    frames = frames + frames[:again]
    assert penalties(frames, strength) == naive(frames, strength)


def test_only_the_window_counts() -> None:
    stretch = [*range(10, 30)]
    assert penalties([*stretch, 5, *[6, 7] * (WINDOW // 2), *stretch], 1.0) == {}
    assert penalties([*stretch, 5, *stretch], 1.0) == {5: len(stretch) - FREE}
