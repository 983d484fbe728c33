"""The transport: expected events of songs, and no hanging notes in any order of calls."""

import math
from collections.abc import Callable
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.music.general_midi import HIGH_WOODBLOCK, LOW_WOODBLOCK, PERCUSSION
from engine.music.score import Note
from engine.music.transport import (
    MIN_LOOP_SECONDS,
    KeyEvent,
    Metronome,
    Transport,
    key_events,
)

SCALE = [Note(0.5 * i, 0.5 * i + 0.5, 60 + 2 * i, 80 + i) for i in range(4)]  # legato, two seconds


class Keyboard:
    """Receive key events like a synthesizer, and assert that they are consistent."""

    def __init__(self) -> None:
        self.down: set[int] = set()
        self.log: list[tuple[float, int, int]] = []

    def take(self, now: float, keys: list[KeyEvent]) -> None:
        for key in keys:
            assert 0 <= key.pitch <= 127
            assert 0 <= key.velocity <= 127
            if key.velocity:
                assert key.pitch not in self.down, "struck twice"
                self.down.add(key.pitch)
            else:
                assert key.pitch in self.down, "released but not struck"
                self.down.remove(key.pitch)
            self.log.append((round(now, 9), key.pitch, key.velocity))


def run(transport: Transport, keyboard: Keyboard, until: float) -> None:
    """Advance to every moment at which an event is due."""
    while (due := transport.due()) is not None and due <= until:
        keyboard.take(due, transport.advance(due))
    keyboard.take(until, transport.advance(until))


def playing(notes: list[Note], until: float = math.inf) -> tuple[Transport, Keyboard]:
    transport, keyboard = Transport(), Keyboard()
    transport.load(notes, until)
    keyboard.take(0.0, transport.play(0.0))
    return transport, keyboard


def test_a_scale_is_played_straight_through() -> None:
    transport, keyboard = playing(SCALE)
    run(transport, keyboard, 5.0)
    assert keyboard.log == [
        (0.0, 60, 80),
        (0.5, 60, 0),
        (0.5, 62, 81),
        (1.0, 62, 0),
        (1.0, 64, 82),
        (1.5, 64, 0),
        (1.5, 66, 83),
        (2.0, 66, 0),
    ]
    assert (transport.playing, transport.ended, transport.position(5.0)) == (False, True, 2.0)
    keyboard.take(9.0, transport.play(9.0))  # again from the beginning
    assert keyboard.log[-1] == (9.0, 60, 80)


def test_tempo_transposition_and_velocity() -> None:
    transport, keyboard = playing(SCALE)
    transport.velocity_scale = 0.5
    run(transport, keyboard, 0.75)
    keyboard.take(0.75, transport.set_tempo(2.0, 0.75))
    assert transport.position(0.75) == 0.75
    keyboard.take(0.8, transport.set_transpose(-12, 0.8))
    run(transport, keyboard, 3.0)
    assert keyboard.log == [
        (0.0, 60, 80),  # struck by play(), before the velocity scale was set
        (0.5, 60, 0),
        (0.5, 62, 40),
        (0.8, 62, 0),  # the transposition releases every key
        (0.875, 52, 41),
        (1.125, 52, 0),
        (1.125, 54, 42),
        (1.375, 54, 0),
    ]


def test_pause_seek_and_stop_release_every_key() -> None:
    transport, keyboard = playing(SCALE)
    keyboard.take(0.2, transport.pause(0.2))
    assert (keyboard.down, transport.due(), transport.position(99.0)) == (set(), None, 0.2)
    keyboard.take(5.0, transport.play(5.0))  # the interrupted note is not struck again
    run(transport, keyboard, 5.4)
    assert keyboard.down == {62}
    keyboard.take(5.4, transport.seek(1.5, 5.4))
    keyboard.take(5.4, transport.advance(5.4))
    assert keyboard.log[-2:] == [(5.4, 62, 0), (5.4, 66, 83)]
    keyboard.take(5.5, transport.stop(5.5))
    assert (keyboard.down, transport.position(6.0)) == (set(), 0.0)
    transport.seek(50.0, 6.0)
    assert transport.position(6.0) == 2.0


def test_a_loop_repeats_on_time_and_can_be_turned_off() -> None:
    transport, keyboard = playing(SCALE)
    keyboard.take(0.0, transport.set_loop((0.5, 1.25), 0.0))
    run(transport, keyboard, 2.1)
    assert keyboard.log[2:] == [
        (0.5, 62, 81),
        (1.0, 62, 0),
        (1.0, 64, 82),
        (1.25, 64, 0),  # cut off at the loop's end
        (1.25, 62, 81),
        (1.75, 62, 0),
        (1.75, 64, 82),
        (2.0, 64, 0),
        (2.0, 62, 81),
    ]
    keyboard.take(2.2, transport.set_loop(None, 2.2))
    run(transport, keyboard, 9.0)
    assert (transport.ended, keyboard.down) == (True, set())


def test_a_whole_song_repeats_without_end() -> None:
    transport, keyboard = playing(SCALE)
    transport.set_loop((0.0, math.inf), 0.0)
    run(transport, keyboard, 200.25)
    assert len([1 for _, pitch, velocity in keyboard.log if (pitch, velocity) == (60, 80)]) == 101
    assert transport.playing


def test_a_key_struck_while_it_is_down() -> None:
    """It is released and struck again, and stays down until the later end of both notes."""
    keys = key_events(
        [Note(0, 3, 60, 70), Note(1, 2, 60, 90), Note(1, 1.5, 60, 40), Note(3, 4, 60, 50)]
    )
    assert keys == [
        (0, KeyEvent(60, 70)),
        (1, KeyEvent(60, 0)),
        (1, KeyEvent(60, 90)),
        (3, KeyEvent(60, 0)),
        (3, KeyEvent(60, 50)),
        (4, KeyEvent(60, 0)),
    ]


def test_notes_outside_the_midi_range_stay_silent() -> None:
    transport, keyboard = playing([Note(1, 2, 126, 80), Note(1, 2, 127, 80)])
    transport.set_transpose(1, 0.0)
    run(transport, keyboard, 5.0)
    assert keyboard.log == [(1.0, 127, 80), (2.0, 127, 0)]


def test_playback_waits_for_notes_that_have_not_arrived() -> None:
    transport, keyboard = playing(SCALE[:2], until=1.0)
    run(transport, keyboard, 3.0)
    assert (transport.waiting, transport.position(3.0), keyboard.down) == (True, 1.0, set())
    keyboard.take(4.0, transport.append(SCALE[2:3], 1.25, 4.0))
    assert keyboard.log[-1] == (4.0, 64, 82)
    run(transport, keyboard, 4.1)
    assert (transport.waiting, round(transport.position(4.1), 9)) == (False, 1.1)
    keyboard.take(4.1, transport.append(SCALE[3:], math.inf, 4.1))
    run(transport, keyboard, 9.0)
    assert keyboard.log[-2:] == [(4.5, 66, 83), (5.0, 66, 0)]
    assert transport.ended


def test_a_song_can_be_completed_while_playback_waits() -> None:
    transport, keyboard = playing(SCALE, until=2.0)
    run(transport, keyboard, 3.0)
    assert transport.waiting
    keyboard.take(3.0, transport.append([], math.inf, 3.0))
    assert (transport.waiting, transport.playing, transport.ended) == (False, False, True)


def test_notes_that_arrive_too_late_stay_silent() -> None:
    transport, keyboard = playing([Note(2, 3, 60, 80)], until=10.0)
    run(transport, keyboard, 1.0)
    keyboard.take(1.0, transport.append([Note(0.5, 9, 50, 80), Note(1.5, 2, 70, 80)], 11.0, 1.0))
    run(transport, keyboard, 5.0)
    assert [pitch for _, pitch, velocity in keyboard.log if velocity] == [70, 60]


def test_a_pause_of_the_process_is_left_out() -> None:
    transport, keyboard = playing(SCALE)
    run(transport, keyboard, 0.1)
    transport.exclude_pause(60.0)
    run(transport, keyboard, 60.6)
    assert keyboard.log[1:] == [(60.5, 60, 0), (60.5, 62, 81)]


def test_a_song_without_notes_ends_at_once() -> None:
    transport, _ = playing([])
    assert (transport.ended, transport.playing) == (True, False)
    transport.set_loop((0.0, math.inf), 1.0)
    transport.play(1.0)
    assert transport.ended


times = st.integers(0, 256).map(lambda n: n / 64)
lengths = st.integers(1, 192).map(lambda n: n / 64)
notes = st.lists(
    st.builds(
        lambda start, length, pitch, velocity: Note(start, start + length, pitch, velocity),
        times,
        lengths,
        st.sampled_from([0, 59, 60, 61, 127]),
        st.integers(1, 127),
    ),
    max_size=12,
)
loops = st.none() | st.tuples(times, st.floats(0, 4) | st.just(math.inf)).map(
    lambda loop: (loop[0], loop[0] + MIN_LOOP_SECONDS + loop[1])
)
moves = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), times),
        st.tuples(st.just("play")),
        st.tuples(st.just("pause")),
        st.tuples(st.just("stop")),
        st.tuples(st.just("seek"), times),
        st.tuples(st.just("loop"), loops),
        st.tuples(st.just("tempo"), st.floats(0.1, 10)),
        st.tuples(st.just("transpose"), st.integers(-70, 70)),
        st.tuples(st.just("append"), notes, times | st.just(math.inf)),
        st.tuples(st.just("load"), notes, times | st.just(math.inf)),
    ),
    max_size=25,
)


CALLS: dict[str, Callable[..., list[KeyEvent]]] = {
    "pass": lambda transport, now, _: transport.advance(now),
    "play": lambda transport, now: transport.play(now),
    "pause": lambda transport, now: transport.pause(now),
    "stop": lambda transport, now: transport.stop(now),
    "seek": lambda transport, now, position: transport.seek(position, now),
    "loop": lambda transport, now, loop: transport.set_loop(loop, now),
    "tempo": lambda transport, now, factor: transport.set_tempo(factor, now),
    "transpose": lambda transport, now, semitones: transport.set_transpose(semitones, now),
    "append": lambda transport, now, notes, until: transport.append(notes, until, now),
    "load": lambda transport, now, notes, until: transport.load(notes, until),
}


@given(notes, moves, st.booleans())
@settings(max_examples=300, deadline=None)
@example([Note(0, 1, 60, 80)], [("play",), ("loop", (0.0, math.inf)), ("pass", 2.0)], True)
def test_no_note_hangs_after_any_calls(
    song: list[Note], calls: list[tuple[Any, ...]], punctual: bool
) -> None:
    """Each key struck is released before it is struck again; while paused, no key is down.

    punctual: advance at every moment due, or else late, as on a busy machine.
    """
    transport, keyboard = Transport(), Keyboard()
    transport.load(song)
    now = 0.0
    for name, *rest in calls:
        if name == "pass":
            if punctual:
                run(transport, keyboard, now + rest[0])
            now += rest[0]
        keyboard.take(now, CALLS[name](transport, now, *rest))
        keyboard.take(now, transport.advance(now))
        if not transport.playing or transport.waiting:
            assert keyboard.down == set()
            assert transport.due() is None
        else:
            assert transport.due() > now - 1e-9  # type: ignore[operator]
        assert transport.position(now) >= 0
    keyboard.take(now, transport.release_all())
    assert keyboard.down == set()


@given(notes, st.floats(0.25, 4))
@settings(max_examples=150, deadline=None)
def test_every_note_is_played_as_written(song: list[Note], tempo: float) -> None:
    """At any tempo: a key is struck where a note starts, and down while one of its notes lasts."""
    transport, keyboard = Transport(), Keyboard()
    transport.load(song)
    transport.set_tempo(tempo, 0.0)
    keyboard.take(0.0, transport.play(0.0))
    run(transport, keyboard, 100.0)
    struck = {
        (round(64 * moment * tempo), pitch) for moment, pitch, velocity in keyboard.log if velocity
    }
    assert struck == {(64 * note.start, note.pitch) for note in song}
    for pitch in {note.pitch for note in song}:
        events = [(moment * tempo, velocity) for moment, p, velocity in keyboard.log if p == pitch]
        for moment in {(a.start + b.end) / 2 for a in song for b in song}:
            wanted = [n for n in song if n.pitch == pitch and n.start < moment < n.end]
            edges = [n for n in song if abs(n.start - moment) < 1e-6 or abs(n.end - moment) < 1e-6]
            if not edges:
                before = [velocity for at, velocity in events if at <= moment]
                assert bool(before and before[-1]) == bool(wanted)


@given(notes)
@settings(max_examples=100, deadline=None)
def test_key_events_are_in_order_and_complete(song: list[Note]) -> None:
    keys = key_events(song)
    assert [moment for moment, _ in keys] == sorted(moment for moment, _ in keys)
    keyboard = Keyboard()
    for moment, key in keys:
        keyboard.take(moment, [key])
    assert keyboard.down == set()


# ── the metronome ────────────────────────────────────────────────────────────────────────────────


def clicks_of(transport: Transport, start: float, until: float) -> list[tuple[float, int]]:
    """Return the moment and the pitch of each click; other keys are left out."""
    found = []
    for now, key in events_of(transport, start, until):
        if key.channel == PERCUSSION and key.velocity:
            found.append((round(now, 6), key.pitch))
    return found


def events_of(transport: Transport, start: float, until: float) -> list[tuple[float, KeyEvent]]:
    """Return all events, each when it is due; every click is released before the next one."""
    found = [(start, event) for event in transport.play(start)]
    while (due := transport.due()) is not None and due <= until:
        found += [(due, event) for event in transport.advance(due)]
    down: set[int] = set()
    for _, event in found:
        if event.channel == PERCUSSION:
            assert (event.pitch in down) == (not event.velocity)
            (down.add if event.velocity else down.discard)(event.pitch)
    return found


@given(
    tempos=st.lists(
        st.tuples(st.integers(1, 40).map(lambda n: n / 4), st.integers(1, 16).map(lambda n: n / 8)),
        max_size=3,
    ),
    bar=st.integers(1, 5), factor=st.sampled_from([0.5, 1.0, 3.0]), start=st.integers(0, 30),
    duration=st.integers(1, 40),
)  # fmt: skip
def test_the_metronome_clicks_where_beats_are(
    tempos: list[tuple[float, float]], bar: int, factor: float, start: int, duration: int
) -> None:
    beats = [(0.0, 0.5), *sorted(dict(tempos).items())]
    transport = Transport()
    transport.load([Note(0.0, float(duration), 60)])
    transport.set_tempo(factor, 0.0)
    transport.set_transpose(5, 0.0)
    transport.set_metronome(Metronome(beats, bar), 0.0)
    begin = min(start / 2, duration)
    transport.seek(begin, 0.0)

    def count(position: float) -> float:
        """Return the number of beats before a position."""
        ends = [time for time, _ in beats[1:]] + [math.inf]
        return sum(
            max(min(position, end) - time, 0) / length
            for (time, length), end in zip(beats, ends, strict=True)
        )

    def place(beat: int) -> float:
        """Return where a beat is, by halving the song again and again."""
        low, high = 0.0, duration + 3.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if count(middle) < beat else (low, middle)
        return high

    places = {beat: place(beat) for beat in range(math.ceil(count(duration)) + 1)}
    expected = [
        (place, HIGH_WOODBLOCK if beat % bar == 0 else LOW_WOODBLOCK)
        for beat, place in places.items()
        if begin - 1e-6 <= place < duration - 1e-6
    ]
    found = clicks_of(transport, 0.0, 1e6)
    assert [pitch for _, pitch in found] == [pitch for _, pitch in expected]
    for (moment, _), (position, _) in zip(found, expected, strict=True):
        assert abs(moment - (position - begin) / factor) < 1e-4
    assert not transport.playing


def test_the_metronome_follows_loops_pauses_and_being_turned_off() -> None:
    transport = Transport()
    transport.load([Note(0.0, 8.0, 60)])
    transport.set_metronome(Metronome([(0.0, 1.0)], 4), 0.0)
    transport.set_loop((1.0, 3.0), 0.0)
    assert clicks_of(transport, 0.0, 6.5) == [
        (0, 76), (1, 77), (2, 77), (3, 77), (4, 77), (5, 77), (6, 77),
    ]  # fmt: skip
    transport.pause(6.5)
    assert transport.due() is None
    assert clicks_of(transport, 10.0, 10.6) == [(10.5, 77)]
    transport.set_metronome(None, 10.6)
    assert clicks_of(transport, 10.6, 13.0) == []
    events = transport.set_metronome(Metronome([(0.0, 1.0)], 4), 13.0)
    assert not events
    assert clicks_of(transport, 13.0, 13.5) == [(13.5, 77)]
    assert KeyEvent(77, 0, PERCUSSION) in transport.pause(13.51)


def test_it_waits_with_the_song_for_more_notes() -> None:
    transport = Transport()
    transport.load([Note(0.0, 1.0, 60)], until=1.0)
    transport.set_metronome(Metronome([(0.0, 0.5)], 2), 0.0)
    assert clicks_of(transport, 0.0, 9.0) == [(0, 76), (0.5, 77)]
    assert transport.waiting
    events = transport.append([Note(1.0, 2.0, 62)], math.inf, 9.0)
    assert KeyEvent(76, 120, PERCUSSION) in events
