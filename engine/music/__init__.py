"""Piano music as notes, files of scores, piano rolls, images and sound, and its playback."""

# Of file names, in lower case:
MIDI_SUFFIXES = (".mid", ".midi", ".kar", ".rmi", ".smf")
MUSICXML_SUFFIXES = (".mxl", ".musicxml", ".xml")
SCORE_SUFFIXES = (*MIDI_SUFFIXES, *MUSICXML_SUFFIXES)
ABC_SUFFIX = ".abc"  # of a format that is only written
