"""Which artists' songs are used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.data.names import either, fold, near
from engine.errors import InputError


@dataclass(frozen=True)
class ArtistReport:
    """What became of the artists that were asked for."""

    found: dict[str, int]  # the artists used, by name, and how many songs each has
    few: dict[str, int]  # asked for by name, but with fewer songs than wanted
    missing: dict[str, tuple[str, ...]]  # asked for, not there: up to three near spellings


def select(
    counts: Mapping[str, int], wanted: Sequence[str], min_songs: int, where: str
) -> ArtistReport:
    """Choose the artists that are wanted (all when none is named) and have `min_songs` songs.

    `counts` gives the songs of each artist; songs under the name "" are nobody's, and stay unless
    artists are named. Raises InputError where nothing is left, naming `where`.
    """
    spellings: dict[str, list[str]] = {}  # "ABBA" and "Abba" are both found by "abba"
    for name in sorted(counts):
        spellings.setdefault(fold(name), []).append(name)
    missing = {
        name: tuple(near(name, filter(None, counts)))
        for name in wanted
        if fold(name) not in spellings
    }
    matched = sorted(name for key in map(fold, wanted) for name in spellings.get(key, ()))
    candidates = dict.fromkeys(matched if wanted else sorted(filter(None, counts)))
    enough = max(1, min_songs)
    found = {name: counts[name] for name in candidates if counts[name] >= enough}
    few = {name: counts[name] for name in matched if counts[name] < enough}
    if not found and (wanted or not counts.get("")):
        raise _nothing_left(counts, list(candidates), missing, enough, where)
    return ArtistReport(found, few, missing)


def _nothing_left(
    counts: Mapping[str, int],
    candidates: list[str],
    missing: Mapping[str, tuple[str, ...]],
    enough: int,
    where: str,
) -> InputError:
    if candidates:
        most = max(candidates, key=lambda name: counts[name])
        if not counts[most]:
            return InputError(
                f"The songs by {most!r} in {where} are all too short: lower data.min_length."
            )
        return InputError(
            f"No artist chosen from {where} has {enough} songs or more (the most has {most!r}, "
            f"with {counts[most]}): lower data.min_songs or choose others."
        )
    close = list(dict.fromkeys(name for names in missing.values() for name in names))[:3]
    there = sorted(filter(None, counts), key=lambda name: -counts[name])[:3]
    asked = ", ".join(repr(name) for name in list(missing)[:3])
    more = f" and {len(missing) - 3} others" if len(missing) > 3 else ""
    if close:
        remedy = f"did you mean {either(close)}?"
    elif there:  # a preset's artists, perhaps, and another file's songs
        remedy = f"'--set data.artists=' takes all that there are, as {either(there)}."
    else:
        remedy = "no song there names its artist, and '--set data.artists=' takes them all."
    return InputError(f"{where} has no songs by {asked}{more}: {remedy}")
