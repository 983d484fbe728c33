"""The corpus of English that is cut from a folder of sources."""

import json
import lzma
import random
import subprocess
import sys
from pathlib import Path

import pytest

from assets.make import english
from assets.make.english import MAX_LINE, SENTENCES, Source

STORY = (
    "Once there was a boy called Tim. He had a small red boat, and he sailed it in the river "
    "behind the mill every day after school.\n\n“Look!” said Mr. Brown. “It floats — nearly.”\n"
)


def write(path: Path, *documents: str) -> None:
    with lzma.open(path, "wt", encoding="utf-8") as file:
        file.write("\n\f\n".join(documents))


def test_prose_becomes_verses_of_short_lines_with_all_its_words() -> None:
    text = english.clean(STORY)
    assert text.isascii()
    verses = list(english.prose(text))
    lines = [line for verse in verses for line in verse.split("\n")]
    assert max(map(len, lines)) <= MAX_LINE
    assert " ".join(lines).split() == text.split()
    assert "said Mr. Brown." in lines or any("Mr. Brown" in line for line in lines)


def test_a_long_line_is_wrapped_into_rows_of_about_the_same_length() -> None:
    line = "and the old grey cat sat by the door and waited for the milk man to come home again"
    rows = english.wrap_evenly(line)
    assert len(rows) == 2
    assert abs(len(rows[0]) - len(rows[1])) < 16


def test_long_documents_are_cut_between_verses() -> None:
    verses = [f"line {number} " * 60 for number in range(12)]
    songs = list(english.join_verses(iter(verses)))
    assert len(songs) > 1
    assert "\n\n".join(songs).split("\n\n") == verses


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_share_of_the_documents_is_taken(tmp_path: Path, share: float) -> None:
    write(
        tmp_path / "talk.xz", "Hi there, how are you today?\nFine, thanks.", "So am I, my friend."
    )
    source = Source("talk.xz", "talk", "made up", "CC0", share=share)
    texts = list(english.songs(source, tmp_path, random.Random(0)))
    assert len(texts) == 2 * share


def test_sentences_are_shuffled_and_grouped(tmp_path: Path) -> None:
    lines = [f"This is sentence {number}." for number in range(SENTENCES + 5)]
    write(tmp_path / "lines.xz", "\n".join(lines))
    source = Source("lines.xz", "sentences", "made up", "CC0")
    first, second = english.songs(source, tmp_path, random.Random(0))
    assert len(first.split("\n")) == SENTENCES
    assert sorted((first + "\n" + second).split("\n")) == sorted(lines)
    assert first.split("\n") != lines[:SENTENCES]


def test_marks_of_sections_are_left_out_of_songs(tmp_path: Path) -> None:
    song = {"text": "[Verse 1]\nI went home\n\n[Chorus]\nCome back (to me)"}
    (tmp_path / "songs.jsonl").write_text(json.dumps(song) + "\n")
    source = Source("songs.jsonl", "songs", "made up", "CC0")
    assert list(english.songs(source, tmp_path, random.Random(0))) == [
        "I went home\n\nCome back (to me)"
    ]


def test_the_command_writes_all_sources_that_train_reads(tmp_path: Path) -> None:
    for source in english.SOURCES.values():
        if source.file.endswith(".jsonl"):
            song = {"text": "\n\n".join(["A song of the sea and the wind"] * 4)}
            (tmp_path / source.file).write_text(json.dumps(song) + "\n")
        else:
            write(tmp_path / source.file, *[f"{STORY}{number}" for number in range(40)])
    output = tmp_path / "english.jsonl"
    command = [sys.executable, "-m", "assets.make.english", str(tmp_path), str(output)]
    subprocess.run(command, check=True, capture_output=True)
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert {row["artist"] for row in rows} >= set(english.SOURCES)
    twice = [row["text"] for row in rows if not row["artist"]]
    assert twice
    assert set(twice) <= {row["text"] for row in rows if row["artist"]}
    assert all(row["text"].isascii() for row in rows)
