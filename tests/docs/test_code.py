"""Every block of code and command of the documentation is current: quoted, run, or marked."""

import re
from pathlib import Path

import pytest

from engine import config
from engine.errors import InputError
from tests.docs import pages
from tests.docs.pages import PAGES, ROOT, TUTORIAL, Block
from tests.docs.runner import Runner, matches
from tests.docs.update import updated
from tui import cli

BLOCKS = [block for page in PAGES for block in pages.blocks(page)]
RUN = [page for page in PAGES if any(block.mark in ("", "slow") for block in pages.blocks(page))]


def test_every_block_can_be_run_or_has_a_reason_why_not() -> None:
    for block in BLOCKS:
        if block.mark == "not run":
            assert len(block.words) > 5, f"{block.where}: write why it is not run"
        else:
            assert block.language in pages.LANGUAGES, f"{block.where}: mark it, or name a language"


def test_quoted_code_is_that_of_the_tree() -> None:
    assert [b.where for b in BLOCKS if b.mark == "quoted" and not pages.is_quote(b)] == []


def test_commands_have_valid_arguments_and_presets() -> None:
    """Also those that are not run, and those in the text; but not usage lines, and no errors."""
    shown = [
        line
        for block in BLOCKS
        for line, printed in pages.commands(block)
        if not (block.where.startswith("docs/commands.md") or printed.startswith("rnn-tui: "))
    ]
    shown += [line for page in PAGES for line in pages.inline_code(page)]
    calls = [words for line in shown if "…" not in line and (words := pages.arguments(line))]
    assert len(calls) > 80
    parser = cli.parser()
    for words in calls:
        if {"--help", "--version"} & {*words}:
            continue
        try:
            chosen = parser.parse_args(words)
        except InputError as error:
            # The text may name a command without its arguments.
            if not re.search("required|expected one", str(error)):
                pytest.fail(f"{words}: {error}")
        else:
            preset = getattr(chosen, "preset", None)
            assert preset is None or preset in config.presets(), words


@pytest.mark.parametrize("page", RUN, ids=lambda page: str(page.relative_to(ROOT)))
def test_fast_blocks(page: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def call(words: list[str]) -> tuple[int, str]:
        capfd.readouterr()
        status = cli.main(words)
        return status, "".join(capfd.readouterr())

    runner = Runner(tmp_path, call, slow=False)
    runner.run(page)
    assert runner.failures == []


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_all_blocks(tmp_path: Path) -> None:
    """The chapters of the tutorial share a home, other pages have their own; training is short."""
    failures = []
    for page in RUN:
        folder = tmp_path / ("tutorial" if page in TUTORIAL else page.stem)
        folder.mkdir(exist_ok=True)
        runner = Runner(folder, quick=True)
        runner.run(page)
        failures += runner.failures
    assert not failures, "\n".join(failures)


def test_a_stale_quote_is_found() -> None:
    file = "engine/sampling/decoding.py match_weight"
    line = "return memory * min(1.0, max(0.0, 1.5 * temperature - 0.5))"
    head = "def match_weight(memory: float, temperature: float) -> float:"
    for text, current in (
        (line, True),
        (f"{head}\n    …\n    {line}", True),
        (f"    {line}\n    …\n{head}", False),
        (line.replace("0.5", "0.4"), False),
        (line[:-1], False),
    ):
        assert pages.is_quote(Block("", "python", text, "quoted", file)) == current


def test_shown_output_is_compared_but_for_ellipses() -> None:
    assert matches("a … b\nc", "a 1 \n 2 b\nc  \n")
    assert not matches("a … b", "a 1 b\nc")


def test_an_update_shows_what_was_found() -> None:
    page = "```\n$ a\nold\n$ b\nold 1\n…\n```\n\n    $ c\n    old\n\n    old 2\n"
    page = updated(page, "old", "new \nline\n")
    page = updated(page, "old 1\n…", "new 1\nnew 2\nnew 3\n")
    page = updated(page, "old\n\nold 2", "new\n\n\nnew")
    assert page == (
        "```\n$ a\nnew\nline\n$ b\nnew 1\n…\n```\n\n    $ c\n    new\n    line\n\n    old 2\n"
    )
    assert updated("\na … b\n", "a … b", "a c") == "\na … b\n"
