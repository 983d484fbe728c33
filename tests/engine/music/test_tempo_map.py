"""Tempo maps: bars and beats from seconds, and seconds from beats."""

from hypothesis import given
from hypothesis import strategies as st

from engine.music.score import Score
from engine.music.tempo_map import TempoMap


def test_four_four_and_six_eight() -> None:
    common = TempoMap(120.0)
    assert (common.bar_length, common.unit_length, common.beat_at(3.0), common.second_at(6.0)) == (
        4,
        1,
        6,
        3,
    )
    assert [common.bar_and_beat(second) for second in (0, 0.49, 0.5, 1.9, 2.0)] == [
        (1, 1), (1, 1), (1, 2), (1, 4), (2, 1),
    ]  # fmt: skip
    jig = TempoMap(90.0, (6, 8))
    assert (jig.bar_length, jig.unit_length) == (3, 0.5)
    assert jig.bar_and_beat(2.0) == (2, 1)  # three quarters of 2/3 s


def test_tempo_changes() -> None:
    slower = TempoMap(120.0, tempo_changes=((2.0, 60.0),))
    assert slower.beat_at(5.0) == 4 + 3
    assert slower.second_at(7.0) == 5.0
    assert slower.bar_and_beat(4.0) == (2, 3)


CHANGES = st.lists(st.tuples(st.floats(0.1, 50), st.floats(20, 300)), max_size=4)


@given(st.floats(20, 300), CHANGES, st.floats(0, 100))
def test_beats_of_many_moments_and_of_one_agree_and_are_inverted(
    tempo: float, drawn: list[tuple[float, float]], second: float
) -> None:
    changes = tuple(sorted(drawn))
    tempo_map = TempoMap(tempo, tempo_changes=changes)
    beats = tempo_map.beat_at(second)
    assert (
        abs(beats - float(Score((), tempo, tempo_changes=changes).tempo_map.beats([second])[0]))
        < 1e-6
    )
    assert abs(tempo_map.second_at(beats) - second) < 1e-6
