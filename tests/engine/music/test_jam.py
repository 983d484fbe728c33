"""The two partners, on a clock of the tests, with answers of a sampler that is made up."""

from engine.music.jam import (
    DELAY,
    GRACE,
    MAX_SILENCE,
    Accompanier,
    Answerer,
    FramePlayer,
    PartnerSettings,
)
from engine.protocol import (
    AccompanyFrame,
    Frame,
    FrameLength,
    Hush,
    KeyPlayed,
    MusicDone,
    MusicFrame,
    Perform,
    PlayerRequest,
    SampleMusic,
    SamplerRequest,
    TimedKey,
)

BEAT = 0.5  # seconds
SETTINGS = PartnerSettings("folk", FrameLength(0.3, 0.5, 100.0), tempo=120.0, seed=3)


class Processes:
    """Records requests."""

    def __init__(self) -> None:
        self.played: list[PlayerRequest] = []
        self.asked: list[SamplerRequest] = []
        self.stops = 0

    def play(self, request: PlayerRequest) -> None:
        self.played.append(request)

    def ask(self, request: SamplerRequest) -> int:
        self.asked.append(request)
        return len(self.asked)

    def stop(self) -> None:
        self.stops += 1

    @property
    def events(self) -> list[TimedKey]:
        """The events of the requests since the last call."""
        performed = [request for request in self.played if isinstance(request, Perform)]
        self.played.clear()
        return [event for request in performed for event in request.events]


def answerer() -> tuple[Answerer, Processes]:
    processes = Processes()
    return Answerer(SETTINGS, processes.play, processes.ask, processes.stop), processes


def press(partner: Answerer | Accompanier, pitch: int, start: float, end: float) -> None:
    partner.take_key(KeyPlayed(pitch, 80, start))
    partner.take_key(KeyPlayed(pitch, 0, end))


def test_frames_become_events() -> None:
    player = FramePlayer()
    assert player.play(Frame((60, 64), None), 1.0) == ((1.0, 60, 72), (1.0, 64, 72))
    assert player.play(Frame((60, 64), (60,)), 2.0) == ((2.0, 60, 0), (2.0, 60, 72))
    assert player.play(Frame((62,), ()), 3.0) == ((3.0, 60, 0), (3.0, 64, 0), (3.0, 62, 72))


def test_a_phrase_is_answered_on_its_beat_in_its_key_and_length() -> None:
    partner, processes = answerer()
    assert partner.due() is None
    # D major from the moment 10.1: three beats, a note of two frames each.
    for index, pitch in enumerate((74, 78, 81)):
        press(partner, pitch, 10.1 + BEAT * index, 10.1 + BEAT * (index + 1))
    due = partner.due()
    assert due is not None
    assert 11.6 < due < 11.6 + BEAT  # before the rest of a beat is over
    partner.tick(due - 0.01)
    assert not processes.asked
    partner.tick(due)
    (request,) = processes.asked
    assert isinstance(request, SampleMusic)
    assert (request.model, request.seed, request.length) == ("folk", 3, 16)  # two bars
    assert request.frames == (
        Frame((72,), (72,)), Frame((72,), ()), Frame((76,), (76,)), Frame((76,), ()),
        Frame((79,), (79,)), Frame((79,), ()),
    )  # fmt: skip
    # The first frames are silent: the answer begins on the first beat after the rest, all the same.
    for frame in (Frame((), ()), Frame((60,), (60,)), Frame((60, 64), (64,)), *[Frame((), ())] * 7):
        partner.receive(MusicFrame(frame, id=1), due + 0.02)
    events = processes.events
    start = 10.1 + 4 * BEAT
    assert [(round(at, 6), *key) for at, *key in events] == [
        (start, 62, 72), (start + 0.25, 66, 72), (start + 0.5, 62, 0), (start + 0.5, 66, 0),
    ]  # fmt: skip
    partner.receive(MusicDone(reason="length", frames=16, seed=3, id=1), due + 0.1)
    assert partner.due() is None
    # The next answer continues both.
    press(partner, 74, 20.0, 20.5)
    due = partner.due()
    assert due is not None
    partner.tick(due)
    again = processes.asked[1]
    assert isinstance(again, SampleMusic)
    assert again.frames is not None
    assert again.frames[:6] == request.frames
    assert again.frames[6:8] == (Frame((60,), (60,)), Frame((60, 64), (64,)))
    assert again.frames[-2:] == (Frame((72,), (72,)), Frame((72,), ()))


def test_a_key_ends_the_answer() -> None:
    partner, processes = answerer()
    press(partner, 60, 0.0, 0.4)
    partner.tick(5.0)
    for pitch in (60, 62, 64):
        partner.receive(MusicFrame(Frame((pitch,), None), id=1), 5.0)
    assert {round(at, 6) for at, *_ in processes.events} == {5.0, 5.25, 5.5}
    partner.take_key(KeyPlayed(72, 80, 5.3))
    assert isinstance(processes.played[-1], Hush)
    assert processes.stops == 1
    partner.receive(MusicFrame(Frame((65,), None), id=1), 5.3)  # was on its way
    assert processes.events == []
    partner.take_key(KeyPlayed(72, 0, 5.5))
    partner.tick(9.0)
    request = processes.asked[1]
    assert isinstance(request, SampleMusic)
    assert request.frames is not None
    keys = [frame.keys for frame in request.frames]
    assert keys == [(60,), (60,), (60,), (62,), (72,)]  # what was played of it


def test_a_late_answer_begins_on_half_a_beat() -> None:
    partner, processes = answerer()
    press(partner, 60, 0.0, 0.4)
    partner.tick(0.8)  # to begin at 1.0
    partner.receive(MusicFrame(Frame((60,), None), id=1), 1.1)
    assert processes.events[0].at == 1.25


def test_what_is_played_is_accompanied_frame_by_frame() -> None:
    processes = Processes()
    partner = Accompanier(SETTINGS, processes.play, processes.ask)
    assert partner.due() is None
    partner.take_key(KeyPlayed(72, 80, 10.0))
    assert partner.due() == 10.0 + GRACE
    partner.tick(10.0 + GRACE)
    partner.take_key(KeyPlayed(72, 0, 10.1))
    partner.take_key(KeyPlayed(74, 80, 10.26))  # a little late
    partner.tick(10.25 + GRACE)
    first, second = processes.asked
    assert isinstance(first, AccompanyFrame)
    assert isinstance(second, AccompanyFrame)
    assert (first.keys, first.onsets, first.restart) == ((72,), (72,), True)
    assert (second.keys, second.onsets, second.restart) == ((74,), (74,), False)
    partner.receive(MusicFrame(Frame((48, 52), None), id=1), 10.06)
    partner.receive(MusicFrame(Frame((48, 55), None), id=2), 10.32)
    assert processes.events == [
        (10.0 + DELAY, 48, 72), (10.0 + DELAY, 52, 72),
        (10.25 + DELAY, 52, 0), (10.25 + DELAY, 55, 72),
    ]  # fmt: skip
    # A pause of the process leaves frames out.
    partner.tick(11.3)
    assert partner.due() == 11.5 + GRACE
    # It stops after a silence, and begins again with the next key.
    partner.take_key(KeyPlayed(74, 0, 11.4))
    moment = 11.4 + MAX_SILENCE * BEAT + 0.3
    partner.tick(11.5 + GRACE)
    partner.tick(moment)
    assert isinstance(processes.played[-1], Hush)
    assert partner.due() is None
    partner.take_key(KeyPlayed(60, 80, 30.0))
    partner.tick(30.1)
    last = processes.asked[-1]
    assert isinstance(last, AccompanyFrame)
    assert last.restart
