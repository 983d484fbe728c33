"""The history of a run: bounded, saved beside the log, and equal to that of the whole log."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.config import RunConfig
from engine.runs import event_log, events, log_summary, run_dir
from engine.runs.event_log import EventLog, HistoryReader, valid_events
from engine.runs.events import Evaluated, Event, Heartbeat, Resumed, Sampled, Step
from engine.runs.log_summary import FILE, History


def step(number: int) -> Step:
    return Step(number, number / 7, 1.4, 0.1, None, 9.0, 1.0, 1.0, None, time=float(number))


def evaluated(number: int, loss: float) -> Evaluated:
    return Evaluated(number, loss, loss * 1.44, 10, False, time=float(number))


def lines(found: list[Event]) -> bytes:
    return "".join(f"{events.encode(event)}\n" for event in found).encode()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


# A log as a trainer writes it: stretches of steps, of which each begins at a checkpoint before.
stretches = st.lists(st.tuples(st.integers(1, 30), st.integers(0, 40)), min_size=1, max_size=6)


def training(found: list[tuple[int, int]]) -> list[Event]:
    written: list[Event] = []
    number = 0
    for count, back in found:
        for _ in range(count):
            number += 1
            written.append(step(number))
            if number % 4 == 0:
                written.append(evaluated(number, (number * 7919 % 101) / 100))
            if number % 9 == 0:
                written.append(Heartbeat(number, "evaluating", time=float(number)))
                written.append(Sampled(number, "", None, "la", 0.5, time=float(number)))
        number = max(0, number - back)
        written.append(Resumed(number, time=1e6))
    return written[:-1]


@given(stretches)
def test_a_saved_history_is_that_of_the_events(found: list[tuple[int, int]]) -> None:
    kept = History()
    for event in training(found):
        kept.add(event)
    assert History.from_json(json.loads(json.dumps(kept.to_json()))).to_json() == kept.to_json()
    by_lines = History()
    by_lines.add_lines(lines(training(found)).split(b"\n"))
    assert by_lines.to_json() == kept.to_json()


@settings(max_examples=30)
@given(found=stretches, data=st.data())
def test_a_long_history_is_thinned_and_keeps_the_last_and_the_best(
    found: list[tuple[int, int]], data: st.DataObject
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        whole = History()
        for event in training(found):
            whole.add(event)
        patch.setattr(log_summary, "MAX_EVENTS", 4)
        thinned = History()
        for line in lines(training(found)).splitlines():  # each alone, and in blocks
            thinned.add_lines([line])
        in_blocks = History()
        in_blocks.add_lines(lines(training(found)).splitlines())
    assert in_blocks.to_json() == thinned.to_json()
    assert len(thinned.steps) <= 5
    assert len(thinned.evaluations) <= 5
    assert set(thinned.steps) <= set(whole.steps)
    assert thinned.last_event == whole.last_event
    if not any(isinstance(event, Resumed) for event in training(found)):
        assert thinned.step == whole.step
        assert thinned.steps[-1:] == whole.steps[-1:]
        assert thinned.best_evaluation == whole.best_evaluation
        assert thinned.samples == whole.samples[-log_summary.MAX_SAMPLES :]


def test_the_trainer_writes_a_summary_and_a_reader_goes_on_from_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = run_dir.create("run", RunConfig(), {})
    monkeypatch.setattr(event_log, "SUMMARY_BYTES", 2000)
    log = EventLog(run.events)
    for number in range(1, 51):
        log.append(step(number))
    size = json.loads((run.path / FILE).read_text())["offset"]
    assert run.events.stat().st_size - 2400 < size < run.events.stat().st_size
    text = run.events.read_bytes()
    # Events that the summary covers are not read again: here they are overwritten, but the last
    # bytes, by which it is recognized.
    run.events.write_bytes(b"x" * (size - 2000) + text[size - 2000 :])
    assert [event.step for event in event_log.read_history(run.events).steps] == [*range(1, 51)]
    run.events.write_bytes(text)
    log.close()
    assert json.loads((run.path / FILE).read_text())["offset"] == len(text)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: b"",
        lambda text: b"[" * 100_000,
        lambda text: b"[]",
        lambda text: text[:-9],
        lambda text: text.replace(b'"stride": 1', b'"stride": "many"'),
        lambda text: text.replace(b'"format": 1', b'"format": 2'),
        lambda text: text.replace(b'"check": ', b'"check": 1'),
        lambda text: text.replace(b'\\"event\\"', b'\\"what\\"'),
        lambda text: text.replace(b'"steps": {', b'"other": {'),
    ],
)
def test_a_damaged_summary_is_built_again(log: Path, damage: object) -> None:
    log.write_bytes(lines([step(number) for number in range(1, 9)]))
    reader = HistoryReader(log)
    reader.read()
    reader.save()
    whole, summary = reader.history.to_json(), (log.parent / FILE).read_bytes()
    (log.parent / FILE).write_bytes(damage(summary))  # type: ignore[operator]
    assert (log.parent / FILE).read_bytes() != summary
    assert event_log.read_history(log).to_json() == whole


def test_a_summary_of_another_log_is_not_used(log: Path) -> None:
    for found in ([step(1), step(2)], [step(3)], [step(4), step(5), step(6)]):
        log.write_bytes(lines(list[Event](found)))
        reader = HistoryReader(log)
        reader.read()
        reader.save()
        assert reader.history.steps == found
    log.write_bytes(lines([step(7)]))  # shorter, while it is being read
    reader.read()
    assert reader.history.steps == [step(7)]


@given(stretches)
def test_the_valid_events_are_those_of_the_last_pass_over_each_step(
    tmp_path_factory: pytest.TempPathFactory, found: list[tuple[int, int]]
) -> None:
    log = tmp_path_factory.getbasetemp() / "valid.jsonl"
    log.write_bytes(lines(training(found)))
    naive: list[Event] = []
    for event in training(found):
        if isinstance(event, Resumed):
            naive = [other for other in naive if getattr(other, "step", 0) <= event.step]
        naive.append(event)
    assert list(valid_events(log)) == naive
