"""What the Music page says where a piece would stand."""

LOOKING = "Looking for models…"
NO_MODEL = """No model has learned music yet.

Train one on MIDI files, in a shell:

  rnn-tui train music --data FOLDER

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
