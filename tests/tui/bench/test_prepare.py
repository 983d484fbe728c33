"""The generated songs; that they can be prepared is in test_bench."""

from pathlib import Path

from engine.data.lyrics_files import read_songs
from tui.bench import prepare


def test_the_songs_fill_the_size_and_are_all_different(tmp_path: Path) -> None:
    path = tmp_path / "generated.csv"
    prepare.write(path, 300_000)
    assert 300_000 <= path.stat().st_size < 303_000
    songs = list(read_songs(path))
    assert len({song.text for song in songs}) == len(songs) > 200
    assert len({song.artist for song in songs}) > 20
    assert not all(song.text.isascii() for song in songs)
    assert b"  \n" in path.read_bytes()
    again = tmp_path / "again.csv"
    prepare.write(again, 300_000)
    assert again.read_bytes() == path.read_bytes()
