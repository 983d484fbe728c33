"""A run's events folded into lists, and what a resume makes void."""

from engine.runs.event_log import History
from engine.runs.events import Evaluated, Finished, Heartbeat, Resumed, Saved, Started, Step


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


def test_a_resume_drops_what_came_after_its_step() -> None:
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


def test_the_last_word_and_the_beginning_are_kept() -> None:
    history = History()
    assert (history.step, history.best_evaluation, history.last_event) == (0, None, None)
    begun = Started(
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
    for event in (begun, step(1), Heartbeat(1, "evaluating"), Finished(1, "completed")):
        history.add(event)
    assert history.started == begun
    assert (
        history.last_event == Finished(1, "completed", time=history.last_event.time)
        if history.last_event
        else 0
    )
