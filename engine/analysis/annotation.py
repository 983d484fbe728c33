"""What is told of songs as they are written: the same lines by the process and by the command."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

from engine.analysis.novelty import CopyWatch
from engine.sampling import lyrics
from engine.sampling.lyrics import Character, GeneratedSong, LyricsStream

Answer = dict[str, Any]


def annotate(
    stream: LyricsStream,
    best: bool = False,
    bits: bool = False,
    copies: Sequence[CopyWatch] | None = None,
) -> Iterator[Answer]:
    """Write the songs: an answer for each character as it comes, and one for each song at its end.

    best: only of the song that the model finds likeliest, when all are written; bits: with each
    character's surprise; copies: a watch for each song, that marks what is copied.
    """
    began = time.perf_counter()
    songs, characters = lyrics.write_best(stream) if best else (stream.songs, stream)
    many = len(songs) > 1
    going = list(songs)

    def ended() -> Iterator[Answer]:
        for song in [song for song in going if song.reason is not None]:
            going.remove(song)
            answer = _done(song, many, round(time.perf_counter() - began, 6))
            if copies:
                answer["novelty"] = copies[song.number].novelty.to_json()
            yield answer

    for character in characters:
        answer = _character(character, many, bits, stream.alternatives > 0)
        if copies and copies[character.song].push(character.text):
            watch = copies[character.song]
            answer |= {"copied": watch.length, "from": watch.source}
        yield answer
        if many:  # one that has ended need not wait for the others
            yield from ended()
    yield from ended()


def _character(character: Character, many: bool, bits: bool, alternatives: bool) -> Answer:
    answer: Answer = {"text": character.text}
    if many:
        answer["song"] = character.song
    if bits:
        answer["bits"] = round(character.bits, 3)
    if alternatives:
        answer["alternatives"] = [[text, round(p, 4)] for text, p in character.alternatives]
    return answer


def _done(song: GeneratedSong, many: bool, seconds: float) -> Answer:
    return {
        "done": True,
        **({"song": song.number} if many else {}),
        "reason": song.reason,
        "characters": song.characters,
        "seconds": seconds,
        "seed": song.seed,
        "bits": round(-song.likelihood, 4),  # a character
    }
