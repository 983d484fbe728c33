"""What a seed writes with each bundled model, byte for byte, as recorded on 2026-11-30.

The songs are the model's own stream of characters (`--raw`), which no change of the options that
choose among lines can change; pieces are drawn frame by frame for the same reason.
"""

from pathlib import Path

import pytest

from tui import cli

GOLDEN = Path(__file__).parent / "golden"
SONGS = {
    "lyrics-fast": "--prime Why --artist|Mabel Rowe|--guidance 2 --seed 1 --length 400",
    "lyrics-full": "--prime Why --seed 3 --precision full --length 400",
    "lyrics-mix": "--mix|Ironmoth=0.5,Papa Lune=0.5|--seed 7 --line 30 --repetition 0.5"
    " --top-k 20 --temperature 0.9",
}


def words(text: str) -> list[str]:
    """Split at blanks, but not what stands between two bars."""
    parts = text.split("|")
    return [word for n, part in enumerate(parts) for word in ([part] if n % 2 else part.split())]


@pytest.mark.parametrize("name", SONGS)
def test_a_seed_writes_the_same_song(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    command = ["sample", "lyrics", "--model", "lyrics", "--raw", *words(SONGS[name])]
    assert cli.main(command) == 0
    assert capfd.readouterr().out.encode() == (GOLDEN / f"{name}.txt").read_bytes()


@pytest.mark.parametrize("name", ["folk", "chorales", "piano"])
def test_a_seed_writes_the_same_music(name: str, tmp_path: Path) -> None:
    file = tmp_path / "music.mid"
    options = "--form none --candidates 1 --seed 5 --length 120"
    command = f"sample music --model {name} {options} -o"
    assert cli.main([*command.split(), str(file)]) == 0
    assert file.read_bytes() == (GOLDEN / f"{name}.mid").read_bytes()
