"""Piano music as notes, as MIDI files, as piano rolls and as pictures."""
