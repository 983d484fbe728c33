"""The log of a run: appended and read at once, partial lines, and its history after a resume."""

import errno
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import RunConfig
from engine.errors import WorkError
from engine.runs import events, run_dir
from engine.runs.event_log import EventLog, EventReader
from engine.runs.events import Evaluated, Event, Finished, Heartbeat, Resumed, Saved, Started, Step
from engine.runs.log_summary import History


def step(number: int) -> Step:
    return Step(
        step=number,
        loss=1.0,
        bits=1.4,
        lr=0.1,
        grad_norm=1.0,
        frames_per_second=9.0,
        memory_mb=1.0,
        elapsed=1.0,
        remaining=None,
    )


def evaluated(number: int, loss: float) -> Evaluated:
    return Evaluated(step=number, loss=loss, bits=loss * 1.44, frames=10, best=False)


@given(st.binary(max_size=60))
def test_a_partial_last_line_is_not_read_and_then_removed(partial: bytes) -> None:
    path = Path(os.environ.get("TMPDIR", "/tmp")) / f"partial-{os.getpid()}.jsonl"
    complete = (events.encode(Heartbeat(1, "x")) + "\n").encode()
    path.write_bytes(complete + partial.replace(b"\n", b" "))
    assert len(EventReader(path).poll()) == 1
    log = EventLog(path)
    assert path.read_bytes() == complete
    log.append(Heartbeat(2, "y"))
    log.close()
    assert [getattr(event, "step", None) for event in EventReader(path).poll()] == [1, 2]
    path.unlink()


def test_a_reader_returns_each_line_once_it_is_complete() -> None:
    run = run_dir.create("run", RunConfig(), {})
    log, reader = EventLog(run.events), EventReader(run.events)
    assert reader.poll() == []
    log.append(Heartbeat(1, "a"))
    assert [event.step for event in reader.poll() if isinstance(event, Heartbeat)] == [1]
    with run.events.open("ab") as file:
        line = (events.encode(Heartbeat(2, "b")) + "\n").encode()
        file.write(line[:10])
        file.flush()
        assert reader.poll() == []
        file.write(line[10:])
    assert [event.step for event in reader.poll() if isinstance(event, Heartbeat)] == [2]
    log.close()


def test_a_reader_beside_a_writer_reads_every_line_once() -> None:
    run = run_dir.create("run", RunConfig(), {})
    log, reader = EventLog(run.events), EventReader(run.events)

    def write() -> None:
        for number in range(800):
            log.append(Heartbeat(number, "é" * (number % 50)))

    writer = threading.Thread(target=write)
    writer.start()
    seen: list[int] = []
    while len(seen) < 800:
        seen += [event.step for event in reader.poll() if isinstance(event, Heartbeat)]
    writer.join()
    log.close()
    assert seen == list(range(800))


def test_a_listener_that_fails_is_not_called_again() -> None:
    run = run_dir.create("run", RunConfig(), {})
    calls = []

    def listener(event: Event) -> None:
        calls.append(event)
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

    log = EventLog(run.events, listener)
    log.check_listener("run")
    log.append(step(1))
    log.append(step(2))
    log.close()
    assert len(calls) == 1
    assert len(EventReader(run.events).poll()) == 2
    with pytest.raises(WorkError, match=r"\(Broken pipe\), so the run 'run' has stopped at step 2"):
        log.check_listener("run")


def test_a_resume_drops_the_events_of_later_steps() -> None:
    history = History()
    for event in (step(1), step(2), evaluated(2, 0.5), Saved(2, "step-2", True), step(3), step(4)):
        history.add(event)
    assert history.step == 4
    history.add(evaluated(4, 0.1))
    assert history.best_evaluation is not None
    assert history.best_evaluation.loss == 0.1
    history.add(Resumed(step=2))
    assert [event.step for event in history.steps] == [1, 2]
    assert history.best_evaluation.loss == 0.5 if history.best_evaluation else False
    assert history.step == 2
    history.add(step(3))
    assert history.step == 3


def test_the_first_and_the_last_event_are_kept() -> None:
    history = History()
    assert (history.step, history.best_evaluation, history.last_event) == (0, None, None)
    started = Started(
        run="r",
        kind="lyrics",
        model="lstm",
        parameters=1,
        steps=5,
        frames_per_step=1,
        train_frames=1,
        valid_frames=1,
        corpus="c",
        unit="character",
        threads=1,
        device="cpu",
    )
    for event in (started, step(1), Heartbeat(1, "evaluating"), Finished(1, "completed")):
        history.add(event)
    assert history.started == started
    assert (
        history.last_event == Finished(1, "completed", time=history.last_event.time)
        if history.last_event
        else 0
    )
