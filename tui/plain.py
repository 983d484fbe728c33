"""Plain mode, `rnn-tui --plain`: the app as questions and lines, for screen readers.

Every task is a command whose arguments are asked for one by one. Nothing is drawn over, colored or
placed; a song is kept in the history, as in the app.
"""

import dataclasses
import json
import shlex
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from engine import paths
from engine.errors import InputError, WorkError
from engine.options import LYRICS_OPTIONS, LYRICS_SAMPLING_OPTIONS
from engine.protocol import SampleLyrics
from tui.commands import INTERRUPTED, output
from tui.sources import history_songs
from tui.sources.child_commands import Programs
from tui.sources.history import History, Work

Command = Callable[[list[str]], int]
PROMPT = "> "


class Question(NamedTuple):
    """A question for an argument of a command: it is left out where the answer is blank."""

    flag: str  # "": the answer itself is the argument
    words: str  # with what a blank answer means
    needed: bool = False
    is_switch: bool = False  # yes or no: the flag has no value


class Task(NamedTuple):
    """A task of the menu: its name, the first words of its command, and questions."""

    name: str
    command: tuple[str, ...]
    questions: tuple[Question, ...] = ()


def _option(name: str) -> Question:
    option = LYRICS_OPTIONS[name]
    return Question(option.flag, f"{option.label}. {option.help}")


_MODEL = Question("--model", "Model. Blank: the newest, or an included one; task 8 lists them.")
_RUN = Question("", "Run. Task 5 lists runs.", needed=True)
SONG = Task("Write a song", ("sample", "lyrics", "--json"), (
    _MODEL,
    Question("--prime", "How does it begin? Blank: as the model likes."),
    Question("--artist", "Artist. Blank: no artist."),
    _option("temperature"),
    _option("rhyme"),
    _option("seed"),
))  # fmt: skip
TASKS = (
    SONG,
    Task("Songs written before", ()),
    Task("Write piano music", ("sample", "music"), (
        _MODEL,
        Question("--prime", "MIDI file that it begins with. Blank: none."),
        Question("--bars", "Length in bars. Blank: until the piece ends."),
        Question("--output", "Name of the MIDI file to write, such as tune.mid.", needed=True),
        Question("--play", "Play it? y or n. Blank: no.", is_switch=True),
    )),
    Task("Play a MIDI file", ("play",), (Question("", "File.", needed=True),)),
    Task("List runs", ("runs",)),
    Task("Train a model", ("train", "--detach"), (
        Question("", "Kind: lyrics or music.", needed=True),
        Question("--data", "Data set or file, such as originals or pieces.", needed=True),
        Question("--preset", "Preset, such as quick or sketch. Blank: the default settings."),
        Question("--run", "Name of the run. Blank: named for you."),
    )),
    Task("Watch a run", ("watch", "--plain"), (_RUN,)),
    Task("List models", ("models",)),
    Task("Ask a run to stop, save or write samples", ("ask",), (
        _RUN, Question("", "What: stop, save or sample.", needed=True),
    )),
    Task("Resume a run", ("train",), (
        Question("", "Kind: lyrics or music.", needed=True),
        Question("--resume", "Run.", needed=True),
        Question("--detach", "In the background? y or n. Blank: no.", is_switch=True),
    )),
    Task("Find songs that are similar to one", ("similar",), (
        Question("", "Artist and title of a song.", needed=True), _MODEL,
    )),
    Task("What units of a network track", ("neurons",), (_MODEL,)),
    Task("List data sets", ("data", "list")),
    Task("Any other command", (), (Question("", "Command, such as: eval mine", needed=True),)),
)  # fmt: skip


class _Left(Exception):  # noqa: N818
    """The end of the input: plain mode is left."""


def run(command: Command, programs: Programs, read: Callable[[str], str] = input) -> int:
    """Ask for tasks until q or the end of the input; return the exit status.

    command: runs a command of `rnn-tui`. read: prints its argument and reads a line.
    """
    mode = PlainMode(command, programs, read)
    try:
        output.echo("rnn-tui: write songs and piano music, and train models that do.")
        while True:
            mode.menu()
    except _Left:
        return 0


class PlainMode:
    """The menu and its tasks; arguments: see `run`."""

    def __init__(self, command: Command, programs: Programs, read: Callable[[str], str]) -> None:
        self._command, self._programs, self._read = command, programs, read
        self._history = History(paths.history())

    def menu(self) -> None:
        """List the tasks, and do one."""
        for number, task in enumerate(TASKS, 1):
            output.echo(f"{number}. {task.name}")
        chosen = self._ask("Type the number of a task, or q to quit.")
        if chosen.casefold() in {"q", "quit", "exit"}:
            raise _Left
        if not chosen.isdecimal() or not 1 <= int(chosen) <= len(TASKS):
            output.echo(f"There is no task {chosen!r}: type a number from 1 to {len(TASKS)}.")
            return
        task = TASKS[int(chosen) - 1]
        try:
            self._do(task)
        except KeyboardInterrupt:
            output.echo("\nInterrupted.")
        except (InputError, WorkError) as error:
            output.echo(str(error))

    def _do(self, task: Task) -> None:
        if task is SONG:
            self._write_song()
        elif task.name == "Songs written before":
            self._open_history()
        elif not task.command:
            self._any_command(self._ask(task.questions[0].words, needed=True))
        else:
            status = self._command([*task.command, *self._arguments(task.questions)])
            output.echo({0: "Done.", INTERRUPTED: "Interrupted."}.get(status, "It did not work."))

    def _any_command(self, line: str) -> None:
        try:
            self._command(shlex.split(line))
        except ValueError as error:
            raise InputError(f"{line!r} is not a command ({error}): close the quotes.") from error

    def _ask(self, words: str, needed: bool = False) -> str:
        """Ask until there is an answer, if one is needed."""
        while True:
            output.echo(words)
            try:
                answer = self._read(PROMPT).strip()
            except EOFError:
                raise _Left from None
            if answer or not needed:
                return answer
            output.echo("This cannot be blank.")

    def _arguments(self, questions: Sequence[Question]) -> list[str]:
        """Ask for the arguments of a command; those without a flag come first."""
        named: list[str] = []
        bare: list[str] = []
        for question in questions:
            answer = self._ask(question.words, question.needed)
            if question.is_switch:
                named += [question.flag] * answer.casefold().startswith("y")
            elif answer and question.flag:
                named.append(f"{question.flag}={answer}")
            elif answer:
                bare.append(answer)
        return [*bare, *named]

    # ── songs ────────────────────────────────────────────────────────────────────────────────────

    def _write_song(self) -> None:
        """Write a song, print it once it has ended, and keep it in the history."""
        arguments = self._arguments(SONG.questions)
        given = dict(argument.removeprefix("--").split("=", 1) for argument in arguments)
        request = SampleLyrics(
            model=given.get("model"),
            prime=given.get("prime", ""),
            artist=given.get("artist"),
            options={
                name: LYRICS_OPTIONS[name].convert(text)
                for name, text in given.items()
                if name in LYRICS_SAMPLING_OPTIONS
            },
        )
        output.echo("Writing.")
        command = [*self._programs.cli, *SONG.command, *arguments]
        child = subprocess.run(
            command, check=False, capture_output=True, text=True, encoding="utf-8"
        )
        if child.returncode:
            output.echo(child.stderr.strip())
            return
        answers = [json.loads(line) for line in child.stdout.splitlines()]
        text = "".join(answer.get("text", "") for answer in answers)
        end = next(answer for answer in answers if answer.get("done"))
        output.echo(end["prime"] + text)
        request = dataclasses.replace(request, model=end["model"], prime=end["prime"])
        result = {"number": 0, "continued": False, "state": end["reason"]}
        result |= {name: end[name] for name in ("seed", "seconds", "bits")}
        kept = history_songs.keep(self._history, request, text, result)
        output.echo(f"Kept in the history as song {kept}.")

    def _open_history(self) -> None:
        """Find a song that was written before, and read, star, export or delete it."""
        found = self._history.find("lyrics", self._ask("Words to find. Blank: all songs."))
        if not found:
            output.echo("No songs found.")
            return
        for work in found:
            output.echo(f"Song {work.id}{', starred' * work.starred}: {work.title}")
        number = self._ask("Number of a song. Blank: back to the tasks.")
        for chosen in found:
            if str(chosen.id) == number:
                output.echo(chosen.text)
                self._change(chosen)

    def _change(self, work: Work) -> None:
        what = self._ask("star, export, delete, or blank: back to the tasks.").casefold()
        if what == "star":
            self._history.star(work.id, not work.starred)
            output.echo("The star was removed." if work.starred else "Starred.")
        elif what == "delete":
            self._history.delete(work.id)
            output.echo("Deleted.")
        elif what == "export":
            words = f"File name; the suffix names the format: {history_songs.FORMATS}."
            path = Path(self._ask(words, needed=True))
            history_songs.export(work, path)
            output.echo(f"Saved {path}.")
