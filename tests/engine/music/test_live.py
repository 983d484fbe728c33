"""Scheduled key events beside the keys that a person holds."""

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.music.live import LiveKeys
from engine.music.transport import KeyEvent
from engine.protocol import TimedKey


def test_events_are_due_in_order_and_releases_come_first() -> None:
    live = LiveKeys()
    assert live.due() is None
    live.schedule([TimedKey(2.0, 64, 70), TimedKey(1.0, 60, 80), TimedKey(2.0, 60, 0)])
    assert live.due() == 1.0
    assert live.advance(0.9) == []
    assert live.advance(1.0) == [KeyEvent(60, 80)]
    assert live.advance(5.0) == [KeyEvent(60, 0), KeyEvent(64, 70)]  # late ones too
    live.schedule([TimedKey(6.0, 64, 50)])
    assert live.advance(6.0) == [KeyEvent(64, 0), KeyEvent(64, 50)]  # struck again
    live.schedule([TimedKey(7.0, 66, 50)])
    assert live.hush() == [KeyEvent(64, 0)]
    assert live.due() is None


def test_a_key_that_a_person_holds_is_left_to_the_person() -> None:
    live = LiveKeys()
    live.take_key(60, 90)
    live.schedule([TimedKey(1.0, 60, 70), TimedKey(2.0, 60, 0), TimedKey(1.0, 64, 70)])
    assert live.advance(3.0) == [KeyEvent(64, 70)]
    live.take_key(64, 90)  # the person strikes the partner's key
    live.schedule([TimedKey(4.0, 64, 0)])
    assert live.advance(4.0) == []
    live.take_key(60, 0)
    assert live.release_all() == [KeyEvent(64, 0)]


EVENTS = st.lists(
    st.tuples(st.sampled_from([0.0, 1.0, 2.0]), st.integers(60, 62), st.integers(0, 2)), max_size=12
)


@given(EVENTS)
@settings(max_examples=50)
def test_every_key_that_was_struck_is_released(rows: list[tuple[float, int, int]]) -> None:
    live = LiveKeys()
    live.schedule(TimedKey(*row) for row in rows)
    down: set[int] = set()
    for key in [*live.advance(0.5), *live.advance(3.0), *live.hush()]:
        assert (key.pitch in down) == (key.velocity == 0)
        (down.add if key.velocity else down.discard)(key.pitch)
    assert not down
