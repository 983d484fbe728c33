"""How a song's characters are shaded: by their surprise, or by what is copied."""

from collections.abc import Sequence
from typing import Any

from engine.protocol import Character
from tui.formatting import NOTHING, clean

VIEWS = ("plain", "surprise", "copies")
STEPS = (1.0, 2.5, 4.5, 7.0)  # bits from which a character is shaded by one level more
COPIED = len(STEPS) + 1  # the level of what is copied
MIN_COPIED = 20  # characters: shorter stretches are anyone's
ALTERNATIVES = 5  # alternatives shown

LEGENDS = {
    "plain": "",
    "surprise": "the darker, the more surprising; ← → look closer",
    "copies": f"marked: {MIN_COPIED} characters or more as in a song it learned from; "
    "← → look closer",
}


def asked(view: str) -> dict[str, Any]:
    """What a view needs to be told, as fields of a request."""
    if view == "surprise":
        return {"bits": True, "alternatives": ALTERNATIVES}
    return {"novelty": MIN_COPIED} if view == "copies" else {}


def levels(view: str, characters: Sequence[Character]) -> list[int]:
    """The level of each character as it is shown: 0, one more for each of STEPS, or COPIED.

    None where nothing is shaded.
    """
    if view == "plain":
        return []
    result: list[int] = []
    for character in characters:
        level = sum((character.bits or 0) >= step for step in STEPS) if view == "surprise" else 0
        result += [level] * len(clean(character.text))
        if view == "copies" and character.copied:
            start = max(0, len(result) - character.copied)
            result[start:] = [COPIED] * (len(result) - start)
    return result


def closely(view: str, character: Character) -> str:
    """What there is to tell of a character in a view, in words."""
    if view == "copies":
        if character.copied:
            return f"{character.copied} characters as in {clean(character.source)}"
        return "ends nothing that is copied"
    if view != "surprise" or not character.alternatives:
        return ""
    shares = (f"{_name(text)} {100 * share:.0f} %" for text, share in character.alternatives)
    return f"{_name(character.text)} {character.bits or 0:.1f} bits; likeliest {' · '.join(shares)}"


def _name(text: str) -> str:
    """A character so that it can be seen."""
    return {"": "the end", "\n": "⏎", " ": "␣"}.get(text, clean(text) or NOTHING)
