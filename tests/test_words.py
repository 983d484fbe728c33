"""Prose is plain English: words that made readers stop are not used in code or documents.

`python tests/test_words.py FILE …` prints the places in some files.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
# A pattern, and what to write in its place.
BANNED = {
    r"nobody|no one": "no artist; none",
    r"so (many|much|long)": "N; the number of",
    r"just so|just as many": "exactly",
    r"anew": "again; new",
    r"com(e|es|ing) along|came along": "included",
    r"(is|are|was|were) none": "is not a …; there are no …",
    r"go(es)? by": "uses; depends on",
    r"(go|goes|going|gone|went) on": "continue; resume",
    r"let(s|ting)? go": "release",
    r"gives": "returns; yields",
    r"likeli(est|er)": "most probable; more probable",
    r"manner": "style",
    r"mistrusts?": "a checksum mismatch",
    r"tells?|told|telling": "show; return; report; distinguish",
    r"hears?|heard": "receive",
    r"sings?|singing|sang|sung": "write",
    r"says?|said|saying": "print; report; read",
    r"knows|knowing": "has; supports",
    r"as (it is|they are|they come|it comes)": "unchanged",
    r"of its kind|of a kind": "",
    r"there is to|there are to": "",
    r"made-up|makes? up": "invented; generated",
    r"whose each": "of each",
    r"looks? (at|after|over|to)|looked at": "check; view; read",
    r"bring(s|ing)?|brought": "import; load; include",
    r"the house|houses?": "architecture; project",
    r"is here|are here|is there|are there": "exists; is available",
    r"lanes?": "stream; batch_size",
    r"spools?|spooled": "",
}
_PATTERN = re.compile(r"(?<![\w.`/-])(" + "|".join(BANNED) + r")(?![\w`-])", re.IGNORECASE)
# Texts that are not ours to word: songs, recorded output, names of artists and data.
ALLOWED_FILES = ("assets/corpora/", "assets/models/", "tests/assets/golden/", "LICENSE")
# One warm word: the button of the Lyrics page.
ALLOWED = {
    "tui/pages/lyrics/screen.py": {"sing"},
    "tui/pages/lyrics/controls.py": {"sing"},
    "assets/make/composer/pieces.py": {"nobody"},  # the title of a piece, which seeds it
}


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line number and the text of each comment and string, or of each line of prose."""
    source = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        fenced = False
        for number, line in enumerate(source.splitlines(), 1):
            fenced ^= line.startswith("```")
            if not fenced and not line.startswith("    "):
                yield number, re.sub(r'`[^`]*`|"[^"]*"', "", line)  # code, and words quoted
        return
    plain = {  # the strings that are no prose: keys, arguments of commands, patterns
        (node.lineno, node.col_offset)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value
    }
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
        if token.type == tokenize.STRING and token.start not in plain:
            for number, line in enumerate(token.string.splitlines(), token.start[0]):
                yield number, line


def problems(path: Path) -> list[str]:
    """Return a line for each banned word in a file."""
    name = path.resolve().relative_to(ROOT).as_posix()
    allowed = ALLOWED.get(name, set())
    return [
        f"{name}:{number}: {match[0]!r} in {line.strip()[:90]!r}"
        for number, line in texts(path)
        for match in _PATTERN.finditer(line)
        if match[0].lower() not in allowed
    ]


def prose() -> Iterator[Path]:
    """Yield every file of ours with words in it, but for the texts of songs and for tests."""
    for folder in ("engine", "tui", "assets", "docs", "tests/benchmarks"):
        yield from sorted((ROOT / folder).rglob("*.py"))
        yield from sorted((ROOT / folder).rglob("*.md"))
    yield ROOT / "README.md"
    yield ROOT / "CONTRIBUTING.md"


def test_no_file_has_a_banned_word() -> None:
    found = [
        line
        for path in prose()
        if not path.relative_to(ROOT).as_posix().startswith(ALLOWED_FILES)
        for line in problems(path)
    ]
    assert found == []


def test_a_banned_word_is_found(tmp_path: Path) -> None:
    assert _PATTERN.search("it gives so many songs anew")
    assert not _PATTERN.search("the given song, `going on`, forgives")


if __name__ == "__main__":
    print("\n".join(line for name in sys.argv[1:] for line in problems(Path(name))))
