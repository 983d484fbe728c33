"""What the Lyrics and Music pages say where a song would stand, and below it."""

from tui.sources.models import ModelChoice

LOOKING = "Looking for models…"
NO_MODEL = """No model has learned to write yet.

Press 1, then n, to train one here, or in a shell:

  rnn-tui train lyrics --data SONGS

As soon as it has saved a checkpoint, it is found here; r looks again."""
TROUBLE = """There is no model to write with; r looks again."""
READY = """Nothing written yet.

Press g, and {model} {does}.

  p  how it begins
  a  in whose style
  t  how daring
  m  another model

Enter in a field sings too; escape stops."""
# Below it, of what is shown:
LOOKED = "at {place:,} of {count:,} · w: go on from before it"
TOGETHER = "arrows: look around · enter: this one · ★ the likeliest"
EDITING = "ctrl+g: go on from its end · ctrl+t: cut after the cursor · esc: leave as it was"


def lyrics_hint(model: str | None, prime: str, looking: bool, problem: str) -> str:
    """What to do where there is no song yet, by the chosen model's name."""
    if model is not None:
        does = f"goes on from “{prime}”" if prime else "begins"
        return READY.format(model=model, does=does)
    if looking:
        return LOOKING
    return TROUBLE if problem else NO_MODEL


NO_MUSIC_MODEL = """No model has learned music yet.

Press 1, then n, to train one here, or in a shell:

  rnn-tui train music --data pieces

As soon as it has saved a checkpoint, it is
found here; r looks again.

  o  opens a MIDI file to see and hear it"""
MUSIC_TROUBLE = """There is no model to write with; r looks again.

  o  opens a MIDI file to see and hear it"""
MUSIC_READY = """Nothing written yet.

Press g, and {model} {does}.

  space  plays it, also while it is written
  p      how it begins
  t      how daring
  m      another model
  o      opens a MIDI file to see and hear it

Enter in a field writes too; escape stops."""


def music_hint(model: ModelChoice | None, begins: str, looking: bool, trouble: bool) -> str:
    """What to say with this model, and with what stands in the field for the beginning."""
    if model is not None:
        return MUSIC_READY.format(
            model=model.name, does=f"goes on from {begins}" if begins else "begins"
        )
    if looking:
        return LOOKING
    return MUSIC_TROUBLE if trouble else NO_MUSIC_MODEL


def status(model: ModelChoice | None, looking: bool) -> str:
    """The line below while there is no piece; looking: for models, or loading one."""
    if looking:
        return "○ looking for models" if model is None else f"○ loading {model.name}"
    return " · ".join(filter(None, ("○ ready", model.name, model.score))) if model else ""
