"""Songs, character by character, as answers of the protocol: surprise, alternatives, copies."""

import dataclasses
import time
from collections.abc import Iterator, Sequence

from engine import protocol
from engine.analysis.novelty import CopyDetector
from engine.protocol import LyricsDone
from engine.sampling import lyrics
from engine.sampling.lyrics import GeneratedSong, LyricsStream


def annotate(
    stream: LyricsStream,
    keep_best: bool = False,
    bits: bool = False,
    copies: Sequence[CopyDetector] | None = None,
) -> Iterator[protocol.Character | LyricsDone]:
    """Write the songs; yield each character at once, and the end of each song.

    keep_best: only those of the most probable song, once all are written; bits: with the surprise
    of each character; copies: a watch for each song, which marks copied text.
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
        watch = copies[character.song] if copies else None
        copied = watch.push(character.text) if watch else 0
        yield protocol.Character(
            character.text,
            character.song if several else None,
            round(character.bits, 3) if bits else None,
            tuple((text, round(p, 4)) for text, p in character.alternatives),
            copied,
            (watch.source or "") if watch and copied else "",
        )
        if several:  # the end of one song does not wait for the others
            yield from ends()
    yield from ends()


def _end(
    song: GeneratedSong, several: bool, seconds: float, watch: CopyDetector | None
) -> LyricsDone:
    assert song.reason is not None
    novelty = protocol.Novelty(**dataclasses.asdict(watch.novelty)) if watch else None
    return LyricsDone(
        song=song.number if several else None,
        reason=song.reason,
        characters=song.characters,
        seconds=seconds,
        seed=song.seed,
        bits=round(-song.likelihood, 4),  # of a character
        novelty=novelty,
    )
