"""A run's events as text, for `rnn-tui watch`, `rnn-tui train` and the log in the app."""

from engine.runs import events
from engine.runs.events import Event
from tui.formatting import duration
from tui.roll_text import roll_lines

ROLL_FRAMES = 72  # frames of the printed piano roll of a sample


def _number(value: float | None, form: str = ".3f") -> str:
    return "not a number" if value is None else format(value, form)


def event_text(event: Event, steps: int) -> str | None:
    """Return a text about an event, None for one that is not shown; steps: the run's last step."""
    match event:
        case events.Started():
            processes = f"{event.ranks} processes with " if event.ranks > 1 else ""
            threads = f"{event.threads} thread{'s' * (event.threads != 1)}"
            device = "" if event.device == "cpu" else f" on {event.device}"
            initial = event.initial and f"\nstarts from {event.initial}"
            text = (
                f"{event.run}: {event.model}, {event.parameters:,} parameters; {event.corpus}: "
                f"{event.train_frames:,} {event.unit}s for training, {event.valid_frames:,} for "
                f"validation; {processes}{threads}{device}{initial}"
            )
        case events.Step():
            left = "" if event.remaining is None else f", {duration(event.remaining)} left"
            text = (
                f"step {event.step}/{steps}  loss {_number(event.loss)} nats  "
                f"{_number(event.bits)} bits  learning rate {event.lr:.1e}  "
                f"gradient norm {_number(event.grad_norm, '.2f')}  "
                f"{event.frames_per_second:,.0f}/s  {event.memory_mb:,.0f} MB{left}"
            )
        case events.Evaluated():
            best = ", best so far" if event.best else ""
            text = (
                f"step {event.step}: validation loss {event.loss:.4f} nats, "
                f"{event.bits:.4f} bits{best}"
            )
        case events.Sampled():
            song = f"{event.prime}{event.text}"
            if event.notes is not None:
                song = "\n".join(roll_lines(event.notes, ROLL_FRAMES))
            text = f"step {event.step}, {event.condition or 'no artist'}:\n{song}\n"
        case events.Saved():
            best = ", best so far" if event.best else ""
            text = f"step {event.step}: saved {event.checkpoint}{best}"
        case events.Resumed():
            text = f"resumed after step {event.step}"
        case events.Finished():
            text = f"{event.reason} at step {event.step}"
        case events.Failed():
            text = f"failed at step {event.step}: {event.reason}"
        case _:
            return None
    return text
