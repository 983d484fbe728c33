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
