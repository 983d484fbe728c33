"""What the Music page says where a piece would stand, and below it."""

from tui.model.models import Model

LOOKING = "Looking for models…"
NO_MODEL = """No model has learned music yet.

Press 1, then n, to train one here, or in a shell:

  rnn-tui train music --data pieces

As soon as it has saved a checkpoint, it is
found here; r looks again.

  o  opens a MIDI file to see and hear it"""
TROUBLE = """There is no model to write with; r looks again.

  o  opens a MIDI file to see and hear it"""
READY = """Nothing written yet.

Press g, and {model} {does}.

  space  plays it, also while it is written
  p      how it begins
  t      how daring
  m      another model
  o      opens a MIDI file to see and hear it

Enter in a field writes too; escape stops."""


def hint(model: Model | None, begins: str, looking: bool, trouble: bool) -> str:
    """What to say with this model, and with what stands in the field for the beginning."""
    if model is not None:
        return READY.format(model=model.name, does=f"goes on from {begins}" if begins else "begins")
    if looking:
        return LOOKING
    return TROUBLE if trouble else NO_MODEL


def status(model: Model | None, looking: bool) -> str:
    """The line below while there is no piece; looking: for models, or loading one."""
    if looking:
        return "○ looking for models" if model is None else f"○ loading {model.name}"
    return " · ".join(filter(None, ("○ ready", model.name, model.score))) if model else ""
