"""Convert songs, while they are written, to answers of the protocol.

The answers are the characters, with surprise, alternatives and copied passages, and the ends of
songs.
"""

import dataclasses
import time
from collections.abc import Iterator, Sequence

from engine import protocol
from engine.analysis.novelty import CopyDetector
from engine.protocol import LyricsDone
from engine.sampling import lyrics
from engine.sampling.lyrics import LyricsStream
from engine.sampling.songs import GeneratedSong


def annotate(
    stream: LyricsStream,
    keep_best: bool = False,
    bits: bool = False,
    copies: Sequence[CopyDetector] | None = None,
) -> Iterator[protocol.Character | LyricsDone]:
    """Write the songs of a stream; yield each character when it is chosen, and each song's end.

    keep_best: write all songs first, then yield only the most probable one; bits: include the
    surprise of each character; copies: for each song a detector, to report copied passages.
    """
    start = time.perf_counter()
    songs, characters = lyrics.write_best(stream) if keep_best else (stream.songs, stream)
    several = len(songs) > 1
    unfinished = list(songs)

    def ends() -> Iterator[LyricsDone]:
        for song in [song for song in unfinished if song.reason is not None]:
            unfinished.remove(song)
            seconds = round(time.perf_counter() - start, 6)
            yield _end(song, several, seconds, copies[song.number] if copies else None)

    for character in characters:
        detector = copies[character.song] if copies else None
        copied = detector.push(character.text) if detector else 0
        yield protocol.Character(
            character.text,
            character.song if several else None,
            round(character.bits, 3) if bits else None,
            tuple((text, round(p, 4)) for text, p in character.alternatives),
            copied,
            (detector.source or "") if detector and copied else "",
        )
        if several:  # the end of one song does not wait for the others
            yield from ends()
    yield from ends()


def _end(
    song: GeneratedSong, several: bool, seconds: float, detector: CopyDetector | None
) -> LyricsDone:
    assert song.reason is not None
    novelty = protocol.Novelty(**dataclasses.asdict(detector.novelty)) if detector else None
    return LyricsDone(
        song=song.number if several else None,
        reason=song.reason,
        characters=song.characters,
        seconds=seconds,
        seed=song.seed,
        bits=round(-song.likelihood, 4),  # per character
        novelty=novelty,
    )
