"""A rule-based composer, which wrote the included piano pieces: `python -m assets.make.composer`.

A style has sections with themes. A theme is a melody over a chord progression, the lower voices are
an accompaniment or counterpoint, and a form puts sections in order. Times are in ticks, 12 to a
quarter note.
"""
