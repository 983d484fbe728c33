"""A run's directory: its files, the lock of its trainer, and requests to the trainer.

Its name begins with the time at which it was made, in UTC.

runs/20260131-094500-NAME/config.toml    the settings, in the form of a preset
                          config.json    the settings, versions of packages, and the corpus's hash
                          events.jsonl   the events of its training (events.py)
                          summary.json   what is kept of them, of bounded size (log_summary.py)
                          worker.json    host and process id of the last trainer
                          worker.lock    locked by the trainer while it runs
                          worker.log     standard output and error of a trainer in the background
                          control/       a file for each request: stop, save, sample
                          checkpoints/   see engine/train/checkpoint.py
                          samples/       texts or MIDI files that the model wrote during training
                          note.txt       the user's note on the run, if there is one
"""

import contextlib
import json
import os
import re
import shutil
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock
import psutil

from engine import files, paths
from engine.config import RunConfig, from_mapping, to_mapping, to_toml
from engine.errors import InputError, WorkError

FORMAT = 2  # of config.json; raised when a setting is renamed
REQUESTS = ("stop", "save", "sample")
_MAX_NAME_BYTES = 120  # a folder's name, which begins with the time, has at most 255 bytes
_MAX_NOTE_BYTES = 4096  # that are read
# Of the time at the beginning of a folder's name, in UTC: the order of local times is wrong when
# the time zone changes.
TIME_FORMAT = "%Y%m%d-%H%M%S"
_TIMESTAMP = re.compile(r"^\d{8}-\d{6}-")


@dataclass(frozen=True)
class RunDir:
    """The directory of one run. Each method reads from disk when it is called."""

    path: Path

    @property
    def name(self) -> str:
        """The run's name: its folder's name without the time at the beginning."""
        return _TIMESTAMP.sub("", self.path.name)

    @property
    def events(self) -> Path:
        """The file of events: see `engine.runs.events`."""
        return self.path / "events.jsonl"

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints, with two links, `best` and `last`, to some of them."""
        return self.path / "checkpoints"

    @property
    def samples(self) -> Path:
        """The folder of the texts or MIDI files that the model wrote during training."""
        return self.path / "samples"

    @property
    def log(self) -> Path:
        """The file with the standard output and error of a trainer in the background."""
        return self.path / "worker.log"

    @property
    def note(self) -> str:
        """The user's note on the run, one line; empty without one."""
        try:
            with files.open_regular(self.path / "note.txt") as file:
                text = file.read(_MAX_NOTE_BYTES).decode(errors="replace")
        except OSError:
            return ""
        return " ".join(text.split())

    def set_note(self, note: str) -> None:
        """Replace the note; an empty one removes it. Raises InputError if it cannot be written."""
        if not self.path.is_dir():
            raise InputError(f"The run {self.name!r} no longer exists: choose another run.")
        if note.strip():
            files.write_atomic(self.path / "note.txt", note.strip() + "\n")
        else:
            (self.path / "note.txt").unlink(missing_ok=True)

    def config(self) -> RunConfig:
        """Return the run's settings. Raises InputError as `metadata` does."""
        return from_mapping(self.metadata()["config"], str(self.path / "config.json"))

    def metadata(self) -> dict[str, Any]:
        """Return the content of config.json: settings, versions of packages, the corpus's hash.

        Raises InputError for a file that cannot be read, or that has another format.
        """
        path = self.path / "config.json"
        try:
            content: Any = files.read_json(path)
        except (OSError, ValueError) as error:
            raise InputError(f"Cannot read {path} ({error}): choose another run.") from error
        if not (isinstance(content, dict) and isinstance(content.get("config"), dict)):
            raise InputError(f"{path} is not the configuration of a run: choose another run.")
        if content.get("format") != FORMAT:
            raise InputError(
                f"The run {self.name!r} was made by another version of rnn-tui "
                f"(format {content.get('format', 1)}, not {FORMAT}): open it with that version, "
                "or train again."
            )
        return content

    def last_checkpoint(self) -> Path | None:
        """Return the folder of the last checkpoint, or None before the first.

        Without the link `last` it is the newest undamaged one.
        """
        with contextlib.suppress(OSError):
            return (self.checkpoints / "last").resolve(strict=True)
        found = self.list_checkpoints()
        return next(filter(files.is_undamaged, found), found[0] if found else None)

    def list_checkpoints(self) -> list[Path]:
        """Return the folders of the checkpoints on disk, the newest first."""
        found = sorted(self.checkpoints.glob("step-*"), key=_step_number, reverse=True)
        return [path for path in found if path.is_dir()]

    def last_step(self) -> int | None:
        """Return the step of the last checkpoint, or None before the first."""
        try:
            folder = self.last_checkpoint()
            return None if folder is None else int(files.read_json(folder / "meta.json")["step"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def require_exists(self) -> None:
        """Raise WorkError if the run has been deleted, as its trainer must then not write to it."""
        if not (self.path / "config.json").is_file():
            raise WorkError(
                f"The folder of the run {self.name!r} was removed, so its training has ended: "
                "start a new run."
            )

    def request(self, request: str) -> None:
        """Make one of REQUESTS to the trainer, which acts on it after its current step.

        Raises InputError when the run has been deleted.
        """
        if not self.path.is_dir():
            raise InputError(f"The run {self.name!r} no longer exists: choose another run.")
        files.write_atomic(self.path / "control" / request, "")

    def poll_requests(self) -> set[str]:
        """Return and remove the requests since the last call; only the trainer calls this."""
        found = set()
        for request in REQUESTS:
            with contextlib.suppress(FileNotFoundError):
                (self.path / "control" / request).unlink()
                found.add(request)
        return found

    @contextlib.contextmanager
    def lock(self, timeout: float = 0.0, pid: int | None = None) -> Iterator[None]:
        """Hold the run's lock within the block, so that no other trainer can train the run.

        The lock is also released when this process ends, even if it is killed. timeout: seconds to
        wait for the lock. pid: the process that worker.json names as the trainer (None: this one).
        Raises InputError when another process holds the lock.
        """
        with self.hold(timeout):
            write_worker(self, pid or os.getpid())
            yield

    @contextlib.contextmanager
    def hold(self, timeout: float = 0.0) -> Iterator[None]:
        """Hold the run's lock, as `lock` does, without becoming its trainer."""
        lock = filelock.FileLock(self.path / "worker.lock", timeout=timeout)
        try:
            lock.acquire()
        except filelock.Timeout:
            raise InputError(
                f"The run {self.name!r} is already being trained by {_describe(self.worker())}: "
                f"watch it with 'rnn-tui watch {self.name}', or stop it first with "
                f"'rnn-tui ask {self.name} stop'."
            ) from None
        try:
            yield
        finally:
            lock.release()

    def worker(self) -> dict[str, Any]:
        """Return the content of worker.json, as `write_worker` writes it.

        It names the run's last trainer; {} if the run has never been trained.
        """
        try:
            content = files.read_json(self.path / "worker.json")
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}


def _step_number(path: Path) -> int:
    number = path.name.removeprefix("step-")
    return int(number) if number.isdecimal() else -1


def write_worker(run: RunDir, pid: int) -> None:
    """Write worker.json, which records that process `pid` of this machine trains the run.

    Its keys are host, pid and created: when the process started, in seconds since 1970 (None: it
    has ended).
    """
    created = psutil.Process(pid).create_time() if psutil.pid_exists(pid) else None
    content = {"host": socket.gethostname(), "pid": pid, "created": created}
    files.write_atomic(run.path / "worker.json", json.dumps(content))


def _describe(worker: dict[str, Any]) -> str:
    if not worker:
        return "another process"
    return f"process {worker.get('pid')} on {worker.get('host')}"


def check_name(name: str) -> None:
    """Raise InputError for a name that is invalid, or taken by a run or an included model."""
    valid = len(name.encode()) <= _MAX_NAME_BYTES and re.fullmatch(r"\w[\w.+-]*", name)
    if not valid or _TIMESTAMP.match(name):
        raise InputError(
            f"--run {name!r} is not a valid name: use at most {_MAX_NAME_BYTES} letters, digits, "
            "'-', '_', '.' and '+', and begin with a letter or digit."
        )
    if (paths.models() / name).is_dir():  # in `models.locate` it takes precedence over a run
        raise InputError(f"An included model is called {name!r}: choose another name.")
    for run in list_runs():
        if run.name == name:
            raise InputError(
                f"The run {name!r} already exists ({run.path}): resume it with "
                f"'--resume {name}', or choose another name."
            )


def create(name: str, config: RunConfig, metadata: dict[str, Any]) -> RunDir:
    """Create a run's directory, complete or not at all.

    metadata: the keys of config.json in addition to the format and the settings. Raises InputError
    as `check_name` does.
    """
    with files.explain_write_errors(paths.runs()):
        paths.runs().mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(paths.runs() / ".lock"):  # two processes must not take the same name
        check_name(name)
        return _create(name, config, metadata)


def _create(name: str, config: RunConfig, metadata: dict[str, Any]) -> RunDir:
    path = paths.runs() / f"{time.strftime(TIME_FORMAT, time.gmtime())}-{name}"
    with files.atomic_folder(path) as draft:
        toml = to_toml(config).encode(errors="surrogateescape")  # data.source may be any path
        (draft / "config.toml").write_bytes(toml)
        content = {"format": FORMAT, "config": to_mapping(config), **metadata}
        text = json.dumps(content, indent=2)
        (draft / "config.json").write_text(text, encoding="utf-8")
        (draft / "events.jsonl").touch()
        for folder in ("checkpoints", "samples", "control"):
            (draft / folder).mkdir()
    return RunDir(path)


def list_runs() -> list[RunDir]:
    """Return all runs, newest first, also those whose config.json cannot be read.

    Raises InputError when the folder of runs cannot be read.
    """
    try:
        found = [RunDir(path) for path in paths.runs().iterdir() if _is_run(path)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(
            f"Cannot read {paths.runs()} ({error.strerror}): make it readable, or set "
            f"{paths.HOME_VARIABLE} to another folder."
        ) from error
    return sorted(found, key=lambda run: run.path.name, reverse=True)


def _is_run(path: Path) -> bool:
    # Of any kind: `RunDir.metadata` refuses what is not a regular file.
    return os.path.lexists(path / "config.json")


def lookup(name: str) -> RunDir | None:
    """Return the run with this name (with or without its time) or path; None if not found."""
    for run in list_runs():
        if name in (run.name, run.path.name):
            return run
    return RunDir(Path(name).resolve()) if name and _is_run(Path(name)) else None


def find(name: str | None) -> RunDir:
    """Return the run with this name (with or without its time) or path; None: the newest run.

    Raises InputError when there is no such run.
    """
    runs = list_runs()
    if name is None:
        if not runs:
            raise InputError(
                f"There are no runs in {paths.runs()}: start one with "
                "'rnn-tui train lyrics --data originals'."
            )
        return runs[0]
    if run := lookup(name):
        return run
    newest = ", ".join(run.name for run in runs[:8])
    hint = f"the newest are {newest}" if newest else "there are no runs yet"
    raise InputError(f"There is no run {name!r} in {paths.runs()}: {hint}.")


def rename(run: RunDir, name: str) -> RunDir:
    """Give a run another name, and return it; its time stays.

    Raises InputError for an invalid or taken name, while the run is being trained, and if its
    folder cannot be renamed.
    """
    if name == run.name:
        return run
    with filelock.FileLock(paths.runs() / ".lock"):  # two processes must not take the same name
        check_name(name)
        stamp = _TIMESTAMP.match(run.path.name)
        path = run.path.with_name((stamp.group() if stamp else "") + name)
        try:
            with run.hold():
                run.path.rename(path)
        except OSError as error:
            raise InputError(
                f"Cannot rename {run.path} ({error.strerror}): make the folder writable."
            ) from error
    return RunDir(path)


def remove(run: RunDir) -> None:
    """Delete a run. Raises InputError while it is being trained, or if it cannot be deleted."""
    try:
        with run.hold():
            pass
        shutil.rmtree(run.path)
    except OSError as error:
        raise InputError(
            f"Cannot delete {run.path} ({error.strerror}): make the folder writable."
        ) from error
