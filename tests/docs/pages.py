"""The pages of the documentation: their links and headings, and their blocks of code.

An HTML comment before a block of code marks it:

    <!-- quoted: FILE NAME -->       it is part of the function or class NAME of FILE; a line of
                                     only "…" stands for lines left out
    <!-- slow -->                    it is run by the slow tests only
    <!-- slow, output varies -->     and what it prints depends on the machine, so is not compared
    <!-- not run: REASON -->         it is not run
    <!-- page not run: REASON -->    no block of the page is run, if this is before the first one

A block without a mark is run: commands in blocks of `console` and in indented ones, examples for
doctest in `pycon`, and `python`; the last two share one namespace per page. Where lines of commands
begin with "$ ", the other lines are what they print, with "…" for anything. A block of `text` is no
code.
"""

import ast
import functools
import itertools
import re
import shlex
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
TUTORIAL = sorted(ROOT.glob("docs/tutorial/[0-9]*.md"))  # the chapters
CARDS = sorted(ROOT.glob("assets/**/*.md"))  # of models and songs
LANGUAGES = ("console", "pycon", "python", "text")
_MARK = re.compile(r"<!-- (page not run|not run|slow|quoted)\b[:, ]*(.*?) *-->", re.DOTALL)
_COMMAND = re.compile(r"(\.venv/bin/)?rnn-tui( |$)")


@dataclass(frozen=True)
class Block:
    """A block of code, with the mark before it."""

    where: str  # page:line
    language: str
    text: str
    mark: str = ""  # "", "quoted", "slow" or "not run"
    words: str = ""  # what follows in the mark

    @property
    def output_varies(self) -> bool:
        """Whether what it prints is not compared."""
        return "output varies" in self.words


@functools.cache
def _tokens(path: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(path.read_text(encoding="utf-8"))


def blocks(path: Path) -> list[Block]:
    """Return the blocks of code of a page."""
    found, mark, whole = [], ("", ""), ("", "")
    for token in _tokens(path):
        if token.type == "html_block":
            match = _MARK.search(token.content)
            mark = (match[1], match[2]) if match else ("", "")
            if mark[0] == "page not run":
                whole = ("not run", mark[1])
        elif token.type in ("fence", "code_block"):
            assert token.map is not None
            where = f"{path.relative_to(ROOT)}:{token.map[0] + 1}"
            language = token.info if token.type == "fence" else "console"
            text = token.content.rstrip("\n")
            found.append(Block(where, language, text, *(mark if mark[0] else whole)))
            mark = ("", "")
        else:
            mark = ("", "")
    return found


def commands(block: Block) -> list[tuple[str, str]]:
    """Return the commands of a block, each with what it prints; "" if that is not shown."""
    text = re.sub(r" *\\\n *", " ", block.text)
    if not re.search(r"(?m)^\$ ", text):
        return [(line, "") for line in text.splitlines() if line.strip()]
    parts = re.split(r"(?m)^\$ ", text)[1:]
    return [(part.partition("\n")[0], part.partition("\n")[2].strip()) for part in parts]


def arguments(command: str) -> list[str] | None:
    """Return the arguments of a call of `rnn-tui`; None for another command."""
    return shlex.split(command, comments=True)[1:] if _COMMAND.match(command) else None


def _inline(path: Path) -> Iterator[Token]:
    for token in _tokens(path):
        yield from token.children or ()


def inline_code(path: Path) -> list[str]:
    """Return the code in the prose of a page."""
    return [token.content for token in _inline(path) if token.type == "code_inline"]


def links(path: Path) -> list[str]:
    """Return the targets of the links and pictures of a page."""
    targets = [token.attrGet("href") or token.attrGet("src") for token in _inline(path)]
    return [str(target) for target in targets if target]


def anchors(path: Path) -> list[str]:
    """Return the anchors of the headings of a page, as GitHub makes them."""
    found: list[str] = []
    tokens = _tokens(path)
    for heading, title in itertools.pairwise(tokens):
        if heading.type == "heading_open":
            slug = re.sub(r"[^\w\- ]", "", title.content.lower()).replace(" ", "-")
            found.append(f"{slug}-{found.count(slug)}" if slug in found else slug)
    return found


def source_of(file: str, name: str) -> str:
    """Return the text of a function or class (or of a method, as Class.method) in a file."""
    source = (ROOT / file).read_text(encoding="utf-8")
    body = ast.parse(source).body
    node: ast.stmt | None = None
    for part in name.split("."):
        node = next(
            node
            for node in body
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == part
        )
        body = node.body
    assert node is not None
    return "\n".join(source.splitlines()[node.lineno - 1 : node.end_lineno])


def is_quote(block: Block) -> bool:
    """Return whether the parts of a quoted block occur, in order, in what it quotes."""
    lines = source_of(*block.words.split()).splitlines()
    start = 0
    for part in re.split(r"(?m)^ *…\n?", block.text):
        wanted = textwrap.dedent(part.rstrip("\n"))
        length = wanted.count("\n") + 1
        places = range(start, len(lines) - length + 1)
        found = (i for i in places if textwrap.dedent("\n".join(lines[i : i + length])) == wanted)
        place = next(found, None)
        if place is None:
            return False
        start = place + length
    return True
