"""The songs of a visit to the Lyrics page, each request's side by side."""

from collections.abc import Sequence

from tui.sources.answers import Heard
from tui.sources.sampler import Request
from tui.widgets.lyrics_song import Song

KEPT = 100  # songs


class Visit:
    """The songs written since the page came up, the oldest first."""

    def __init__(self) -> None:
        self.songs: list[Song] = []

    def begin(
        self, number: int, request: Request, now: float, score: str, continued: bool = False
    ) -> Song:
        """Add the songs of a request of that number; gives the first."""
        songs = [
            Song(number, request, now, score, place, continued) for place in range(request.count)
        ]
        self.songs = [*self.songs, *songs][-KEPT:]
        return songs[0]

    @property
    def under_way(self) -> list[Song]:
        """Those of which more may come: all of the newest request."""
        return [song for song in self.songs if song.under_way]

    def stop(self) -> None:
        """Take nothing more in of those under way."""
        for song in self.under_way:
            song.state = "stopped"

    def hear(self, heard: Heard, now: float) -> list[tuple[Song, str]]:
        """Take in what came; gives the songs that it is about with their new characters.

        An answer to an older request is about none.
        """
        return [
            (song, song.hear(heard, now))
            for song in self.under_way
            if (heard.died or heard.id == song.id) and heard.song in {None, song.number}
        ]

    def together(self, song: Song) -> list[Song]:
        """The songs that were written in step with one, itself too."""
        return [other for other in self.songs if other.id == song.id]

    def place(self, song: Song) -> str:
        """Where it stands, as "song 2 of 3"; nothing to say of the only one."""
        if len(self.songs) == 1:
            return ""
        return f"song {self.songs.index(song) + 1} of {len(self.songs)}"

    def beside(self, song: Song | None, steps: int) -> Song | None:
        """The song so many steps later; without one, from after the newest."""
        if not self.songs:
            return None
        place = len(self.songs) if song is None else self.songs.index(song)
        return self.songs[min(max(place + steps, 0), len(self.songs) - 1)]


def likeliest(songs: Sequence[Song]) -> Song | None:
    """Of songs that have all ended, the one whose characters surprise the model least."""
    known = [(song.bits, song.number) for song in songs if song.text and song.bits is not None]
    if len(songs) < 2 or not known or any(song.under_way for song in songs):
        return None
    best = min(known)[1]
    return next(song for song in songs if song.number == best)
