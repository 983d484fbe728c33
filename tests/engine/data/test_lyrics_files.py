"""Readers of lyrics."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.data import lyrics_files
from engine.data.lyrics_files import LyricsSong, read_songs
from engine.data.splits import ANY, TEST, TRAIN, VALID
from engine.errors import InputError


def refusal(source: Path) -> str:
    with pytest.raises(InputError) as caught:
        list(read_songs(source))
    return str(caught.value)


def csv(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_csv_file_is_read_by_the_names_of_its_columns(tmp_path: Path) -> None:
    path = csv(
        tmp_path / "a.csv",
        '\ufeffText,Year,ARTIST\n"\none  \r\n\r\n  two \rthree  \n",19, The  Kites \nnull,20,NA\n',
    )
    assert list(read_songs(path)) == [
        LyricsSong("The Kites", "", "one\n\n  two\nthree"),
        LyricsSong("NA", "", "null"),
    ]


def test_texts_and_names_are_in_nfc(tmp_path: Path) -> None:
    path = csv(tmp_path / "a.csv", "artist,song,text\nRe\u0301my,E\u0301,cafe\u0301\n")
    assert list(read_songs(path)) == [LyricsSong("Rémy", "É", "café")]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_songs_are_read_as_they_were_written(
    tmp_path: Path, songs: list[LyricsSong], write_csv: Callable[..., Path], newline: str
) -> None:
    assert list(read_songs(write_csv(tmp_path / "a.csv", songs, newline))) == songs


def test_a_column_sets_the_splits(tmp_path: Path) -> None:
    """Case and blanks do not matter, and a blank field leaves the split open."""
    names = {"train": TRAIN, " Valid ": VALID, "TEST": TEST, "": ANY, "  ": ANY}
    rows = "".join(f"A,{name},la {number}\n" for number, name in enumerate(names))
    splits = [
        song.split for song in read_songs(csv(tmp_path / "a.csv", f"artist,Split,text\n{rows}"))
    ]
    assert splits == [*names.values()]
    lines = [json.dumps({"artist": "A", "text": "la", "split": name}) for name in names]
    path = csv(tmp_path / "a.jsonl", "\n".join([*lines, '{"artist": "A", "text": "la"}']))
    assert [song.split for song in read_songs(path)] == [*names.values(), ANY]


@pytest.mark.parametrize("rows", [1, 2, 1000])
def test_an_unknown_split_is_refused_with_the_number_of_the_song(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(lyrics_files, "CHUNK_ROWS", rows)
    content = 'artist,text,split\nA,"la\nla",train\nA,lo,test\nA,li,tset\n'
    assert refusal(csv(tmp_path / "a.csv", content)) == (
        f"Song 3 of {tmp_path / 'a.csv'}: split is 'tset'; write train, valid, test or nothing."
    )
    lines = '{"artist": "A", "text": "la"}\n\n{"artist": "A", "text": "la", "split": "dev"}\n'
    assert refusal(csv(tmp_path / "a.jsonl", lines)) == (
        f"Line 3 of {tmp_path / 'a.jsonl'}: split is 'dev'; write train, valid, test or nothing."
    )
    lines = '{"artist": "A", "text": "la", "split": 1}\n'
    assert "Line 1" in refusal(csv(tmp_path / "a.jsonl", lines))


def test_a_column_sets_the_splits(tmp_path: Path) -> None:
    """Case and blanks do not matter, and a blank field leaves the split open."""
    names = {"train": TRAIN, " Valid ": VALID, "TEST": TEST, "": ANY, "  ": ANY}
    rows = "".join(f"A,{name},la {number}\n" for number, name in enumerate(names))
    splits = [
        song.split for song in read_songs(csv(tmp_path / "a.csv", f"artist,Split,text\n{rows}"))
    ]
    assert splits == [*names.values()]
    lines = [json.dumps({"artist": "A", "text": "la", "split": name}) for name in names]
    path = csv(tmp_path / "a.jsonl", "\n".join([*lines, '{"artist": "A", "text": "la"}']))
    assert [song.split for song in read_songs(path)] == [*names.values(), ANY]


@pytest.mark.parametrize("rows", [1, 2, 1000])
def test_an_unknown_split_is_refused_with_the_number_of_the_song(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(lyrics_files, "CHUNK_ROWS", rows)
    content = 'artist,text,split\nA,"la\nla",train\nA,lo,test\nA,li,tset\n'
    assert refusal(csv(tmp_path / "a.csv", content)) == (
        f"Song 3 of {tmp_path / 'a.csv'}: split is 'tset'; write train, valid, test or nothing."
    )
    lines = '{"artist": "A", "text": "la"}\n\n{"artist": "A", "text": "la", "split": "dev"}\n'
    assert refusal(csv(tmp_path / "a.jsonl", lines)) == (
        f"Line 3 of {tmp_path / 'a.jsonl'}: split is 'dev'; write train, valid, test or nothing."
    )
    lines = '{"artist": "A", "text": "la", "split": 1}\n'
    assert "Line 1" in refusal(csv(tmp_path / "a.jsonl", lines))


def test_a_folder_is_read_in_order(tmp_path: Path) -> None:
    for name in ("Zeta/b.txt", "Alpha/2.txt", "Alpha/1.TXT", "Alpha/notes.md", ".git/x.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"{name}\r\n", newline="")
    assert list(read_songs(tmp_path)) == [
        LyricsSong("Alpha", "1", "Alpha/1.TXT"),
        LyricsSong("Alpha", "2", "Alpha/2.txt"),
        LyricsSong("Zeta", "b", "Zeta/b.txt"),
    ]


def test_jsonl(tmp_path: Path) -> None:
    lines = [
        json.dumps({"artist": "A\tB", "song": "S", "text": "one\r\ntwo \ud800", "year": 1}),
        "",
        json.dumps({"text": "🎹", "artist": ""}, ensure_ascii=False),
    ]
    path = csv(tmp_path / "a.jsonl", "\ufeff" + "\n".join(lines))
    assert list(read_songs(path)) == [
        LyricsSong("A B", "S", "one\ntwo \ufffd"),
        LyricsSong("", "", "🎹"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"\xef\xbb\xbf", "no comma"),
        ("a.csv", b"\x89PNG\0\0\0", "binary"),
        ("a.csv", "artist,text\nA,b\n".encode("utf-16"), "not UTF-8 text"),
        ("a.csv", b"just some words\nand more\n", "no comma"),
        ("a.csv", b"artist,lyrics\nA,b\n", "no column 'text' (it has artist, lyrics)"),
        ("a.csv", b"song,lyrics\n", "no column 'artist'"),
        ("a.csv", b"artist,text\nA,b\nA,b,c\n", "has 3 fields, but its header has 2"),
        ("a.csv", b"artist,text\nA,b,c\nA,b,c\n", "Line 2 of"),
        ("a.csv", b'artist,text\nA,"b\nA,c\n', "begins on line 2 (unexpected end of data)"),
        ("a.csv", b"artist,song,text\nA,S,one\ntwo\nA,T,three\n", "Line 3 of"),
        ("a.csv", b"artist,song,text\nA,S,one\ntwo\nA,T,three\n", "has 1 field, but"),
        ("a.csv", b'artist,song,text\nA,S,"x\n\ny"\nA,"T"\n', "Line 5 of"),
        ("a.csv", b'artist,text\nA,"say \\"go\\" and\nx"\n', "begins on line 2"),
        ("a.csv", b'artist,text\nA,"say \\", go"\n', "Line 2 of"),
        ("a.csv", b'artist,text\nA,"b" c\nA,"d"\n', "begins on line 2"),
        ("a.csv", b'[{"artist": "A", "text": "b"}]', "is JSON, not CSV"),
        ("a.csv", b"artist,text\nA,b\nA,caf\xe9\n", "byte 21, line 3"),
        ("a.jsonl", b"", "is empty"),
        ("a.jsonl", b'{"artist": "A", "text": "b"}\n{oops\n', "Line 2 of"),
        ("a.jsonl", b'\n["A", "b"]\n', "Line 2 of"),
        ("a.jsonl", b'{"artist": "A"}\n', "'text' is missing"),
        ("a.jsonl", b'{"artist": 5, "text": "b"}\n', "'artist' is not a string"),
        ("a.jsonl", b'{"artist": "\xff"}\n', "byte 12, line 1"),
        ("a.jsonl", b"[" * 100_000 + b"\n", "Line 1 of"),
    ],
)
def test_an_invalid_file_is_refused(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = csv(tmp_path / name, content)
    sentence = refusal(path)
    assert message in sentence
    assert str(path) in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


def test_null_counts_as_empty(tmp_path: Path) -> None:
    path = csv(tmp_path / "a.jsonl", '{"artist": null, "song": null, "text": "one"}\n')
    assert list(read_songs(path)) == [LyricsSong("", "", "one")]


def test_empty_lines_of_a_csv_are_not_rows(tmp_path: Path) -> None:
    path = csv(tmp_path / "a.csv", "artist,text\n\nA,b\n \n\nB,c\n\n")
    assert [song.text for song in read_songs(path)] == ["b", "c"]


def test_a_file_of_very_many_columns_is_refused_quickly(tmp_path: Path) -> None:
    assert "and 399991 more" in refusal(csv(tmp_path / "a.csv", "word, " * 400_000))


def test_names_that_are_not_utf_8_are_read(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"Caf\xc9")
    folder.mkdir()
    (folder / os.fsdecode(b"\xc9t\xe9.txt")).write_text("one")
    assert list(read_songs(tmp_path)) == [LyricsSong("Caf\ufffd", "\ufffdt\ufffd", "one")]


def test_the_first_invalid_byte_of_a_large_file_is_found(tmp_path: Path) -> None:
    good = "é\n".encode() * 400_000  # the first block of a mebibyte ends within a character
    path = csv(tmp_path / "a.jsonl", good + b"\xc3")
    assert lyrics_files._first_invalid_byte(path) == f"byte {len(good)}, line 400001"


def test_the_error_for_a_missing_file_names_close_ones(tmp_path: Path) -> None:
    csv(tmp_path / "songs.csv", "artist,text\n")
    assert "did you mean 'songs.csv'?" in refusal(tmp_path / "song.csv")
    assert "There is no file" in refusal(tmp_path / "nowhere/song.csv")


def test_a_folder_without_songs(tmp_path: Path) -> None:
    (tmp_path / "loose.txt").touch()
    assert "artist/song.txt" in refusal(tmp_path)


def test_the_error_names_a_text_file_in_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "A").mkdir()
    path = csv(tmp_path / "A/b.txt", b"one\ntwo \xe9t\xe9")
    assert f"{path} is not UTF-8 text (byte 8, line 2)" in refusal(tmp_path)


def test_the_published_file(lyrics_csv: Path) -> None:
    songs = list(read_songs(lyrics_csv))
    assert len(songs) == 2893
    assert len({song.artist for song in songs}) == 67
    assert "\r" not in "".join(song.text for song in songs)
