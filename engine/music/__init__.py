"""Piano music as notes, MIDI files, piano rolls, images and sound, and its playback."""

MIDI_SUFFIXES = (".mid", ".midi", ".kar", ".rmi", ".smf")  # of file names, in lower case
