"""Bars and beats, there and back."""

from hypothesis import given
from hypothesis import strategies as st

from engine.music.metre import Measure
from engine.music.score import Score


def test_four_four_and_six_eight() -> None:
    plain = Measure(120.0)
    assert (plain.bar, plain.unit, plain.beats(3.0), plain.seconds(6.0)) == (4, 1, 6, 3)
    assert [plain.place(second) for second in (0, 0.49, 0.5, 1.9, 2.0)] == [
        (1, 1), (1, 1), (1, 2), (1, 4), (2, 1),
    ]  # fmt: skip
    jig = Measure(90.0, (6, 8))
    assert (jig.bar, jig.unit) == (3, 0.5)
    assert jig.place(2.0) == (2, 1)  # three quarters of 2/3 s


def test_the_tempo_may_change() -> None:
    slower = Measure(120.0, changes=((2.0, 60.0),))
    assert slower.beats(5.0) == 4 + 3
    assert slower.seconds(7.0) == 5.0
    assert slower.place(4.0) == (2, 3)


CHANGES = st.lists(st.tuples(st.floats(0.1, 50), st.floats(20, 300)), max_size=4)


@given(st.floats(20, 300), CHANGES, st.floats(0, 100))
def test_beats_are_those_of_the_score_and_lead_back(
    tempo: float, drawn: list[tuple[float, float]], second: float
) -> None:
    changes = tuple(sorted(drawn))
    measure = Measure(tempo, changes=changes)
    beats = measure.beats(second)
    assert abs(beats - float(Score((), tempo, changes=changes).beats([second])[0])) < 1e-6
    assert abs(measure.seconds(beats) - second) < 1e-6
