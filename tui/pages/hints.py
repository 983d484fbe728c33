"""What the Lyrics, Music and Neurons pages show in place of a song: what to do next."""

from tui.sources.models import ModelChoice

SEARCHING = "Looking for models…"
NO_MODEL = """There is no lyrics model yet.

Press 1, then n, to train one here, or in a shell:

  rnn-tui train lyrics --data SONGS

It is listed here once it has saved a checkpoint: press r to look again."""
UNUSABLE = "There is no model to write with: press r to look again."
READY = """Nothing written yet.

Press g: the model “{model}” {does}.

  p  prompt: how it begins
  a  artist style
  t  temperature
  m  another model

Enter in a field writes too; escape stops."""


def lyrics_hint(model: ModelChoice | None, prime: str, searching: bool, problem: bool) -> str:
    """Return a hint on what to do where there is no song yet.

    model: the chosen model, None without one. prime: the prompt. searching: models are still being
    searched. problem: models exist, but none can be used.
    """
    if model is not None:
        does = f"continues “{prime}”" if prime else "begins a song"
        return READY.format(model=model.name, does=does)
    if searching:
        return SEARCHING
    return UNUSABLE if problem else NO_MODEL


NO_MUSIC_MODEL = """There is no music model yet.

Press 1, then n, to train one here, or in a shell:

  rnn-tui train music --data pieces

It is listed here once it has saved a
checkpoint: press r to look again.

  o  open a MIDI file to see and play"""
MUSIC_UNUSABLE = """There is no model to write with: press r to look again.

  o  open a MIDI file to see and play"""
MUSIC_READY = """Nothing written yet.

Press g: the model “{model}” {does}.

  space  play, also while it is being written
  p      prompt: how it begins
  t      temperature
  m      another model
  o      open a MIDI file to see and play

Enter in a field writes too; escape stops."""


def music_hint(model: ModelChoice | None, prompt: str, searching: bool, problem: bool) -> str:
    """Return a hint on what to do where there is no piece yet; arguments as for `lyrics_hint`."""
    if model is not None:
        does = f"continues {prompt}" if prompt else "begins a piece"
        return MUSIC_READY.format(model=model.name, does=does)
    if searching:
        return SEARCHING
    return MUSIC_UNUSABLE if problem else NO_MUSIC_MODEL
