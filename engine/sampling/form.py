"""The form of a song while it is written: verses, choruses that return, and the end.

A plan such as "VCVCBC" has a letter for each section, which are parted by empty lines: V a verse,
C the chorus, B a bridge. The first chorus is written, and the others repeat it word for word.
Everything here follows from the text so far, so that a plan can be changed while a song is written.
"""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

MIN_LINES = {"V": 4, "C": 3, "B": 2}  # lines after which the model may end a section
MAX_LINES = {"V": 8, "C": 6, "B": 4}  # lines after which a section ends
RETURNS = "C"  # the letters whose sections are written once
LEAN = 6.0  # nats: how far the end mark's log odds are moved at the shortest and longest lengths


Whether = Literal["no", "may", "must"]


class Place(NamedTuple):
    """What the form requires of the next line of a song.

    part: whether an empty line comes before it, which begins the next section. end: whether the
    song ends in its place.
    """

    line: int  # its number in the section, from 0
    repeat: str | None  # the line that it repeats; None: it is new
    part: Whether
    end: Whether


def split_sections(text: str) -> list[str]:
    """Return the sections of a text; empty lines at its beginning are left out.

    Only the last one may be empty, if the text ends in an empty line.
    """
    return re.split("\n\n+", text.lstrip("\n"))


def find_place(plan: str, text: str) -> Place:
    """Return the place of the line that follows a text, which is empty or ends in a newline.

    plan: the letters of the sections; "": no plan, the model decides all.
    """
    sections = split_sections(text)
    number, lines = len(sections) - 1, sections[-1].count("\n")
    if not plan:
        return Place(lines, None, "may" if lines else "no", "may" if lines else "no")
    letter = plan[min(number, len(plan) - 1)]
    first = plan.index(letter)
    if letter in RETURNS and first < number < len(plan):
        repeated = sections[first].split("\n")
        line = repeated[lines] if lines < len(repeated) else None
        over: Whether = "no" if line is not None else "must"
    else:
        line = None
        enough, most = lines >= MIN_LINES[letter], lines >= MAX_LINES[letter]
        over = "must" if most else "may" if enough else "no"
    if number < len(plan) - 1:
        return Place(lines, line, over, "no")
    return Place(lines, line, "no", over)


def end_lean(length: int, lengths: Sequence[int] | NDArray[np.int64]) -> float:
    """Return what to add to the log odds that a song ends, in nats.

    length: characters so far. lengths: those of the training songs, ascending; the lean rises with
    the share of them that are shorter, from −LEAN to +LEAN, and is infinite beyond the longest.
    """
    if not len(lengths):
        return 0.0
    if length >= lengths[-1]:
        return np.inf
    share = np.searchsorted(lengths, length) / len(lengths)
    return LEAN * (2 * float(share) - 1)
