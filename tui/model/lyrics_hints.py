"""What the Lyrics page says where a song would stand."""

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


def hint(model: str | None, prime: str, looking: bool, problem: str) -> str:
    """What to do where there is no song yet, by the chosen model's name."""
    if model is not None:
        does = f"goes on from “{prime}”" if prime else "begins"
        return READY.format(model=model, does=does)
    if looking:
        return LOOKING
    return TROUBLE if problem else NO_MODEL
