"""A run's directory: its files, who works on it, what it says, and how it is told to stop."""

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

from engine import config as configs
from engine import files, paths
from engine.errors import InputError
from engine.runs import events as event_kinds

FORMAT = 2  # of config.json: one more with every renamed setting
STALLED_AFTER = 30.0  # seconds without a word; the trainer says something every few seconds
REQUESTS = ("stop", "save", "sample")
_LONGEST_NAME = 120  # bytes; with the time in front it must fit a file's name
_STAMP = re.compile(r"^\d{8}-\d{6}-")


@dataclass(frozen=True)
class RunDir:
    """The directory of one run; nothing is read until asked for."""

    path: Path

    @property
    def name(self) -> str:
        """The run's name without the time in front."""
        return _STAMP.sub("", self.path.name)

    @property
    def events(self) -> Path:
        """The file of events, one JSON object a line."""
        return self.path / "events.jsonl"

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints; `best` and `last` in it are links to two of them."""
        return self.path / "checkpoints"

    @property
    def samples(self) -> Path:
        """The folder of what the run wrote as it learned."""
        return self.path / "samples"

    @property
    def log(self) -> Path:
        """What the trainer's process wrote to its standard error."""
        return self.path / "worker.log"

    def config(self) -> configs.RunConfig:
        """What the run was asked to do."""
        return configs.from_mapping(self.metadata()["config"], str(self.path / "config.json"))

    def metadata(self) -> dict[str, Any]:
        """The whole of config.json: the config, and the versions and the corpus it met."""
        path = self.path / "config.json"
        try:
            facts: Any = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"{path} cannot be read ({error}): name another run.") from error
        if not (isinstance(facts, dict) and isinstance(facts.get("config"), dict)):
            raise InputError(f"{path} is not the config of a run: name another run.")
        if facts.get("format") != FORMAT:
            raise InputError(
                f"The run {self.name!r} was made by another version of rnn-tui "
                f"(format {facts.get('format', 1)}, not {FORMAT}): open it with that version, "
                "or train again."
            )
        return facts

    def last_step(self) -> int | None:
        """The step of the last checkpoint; None where there is none."""
        try:
            meta = json.loads((self.checkpoints / "last" / "meta.json").read_text())
            return int(meta["step"])
        except (OSError, ValueError, KeyError):
            return None

    def request(self, request: str) -> None:
        """Ask the run for something (one of REQUESTS); it answers at its next step."""
        if not self.path.is_dir():
            raise InputError(f"The run {self.name!r} is gone: choose another.")
        files.write_atomic(self.path / "control" / request, "")

    def poll_requests(self) -> set[str]:
        """What was asked since the last look; called by the trainer."""
        taken = set()
        for request in REQUESTS:
            with contextlib.suppress(FileNotFoundError):
                (self.path / "control" / request).unlink()
                taken.add(request)
        return taken

    @contextlib.contextmanager
    def lock(self, patience: float = 0.0, pid: int | None = None) -> Iterator[None]:
        """Hold the run: no second trainer may work on it. The lock goes with the process.

        pid: the process by whose life others tell whether the run goes on, if it is not this one.
        """
        lock = filelock.FileLock(self.path / "worker.lock", timeout=patience)
        try:
            lock.acquire()
        except filelock.Timeout:
            raise InputError(
                f"The run {self.name!r} is already being trained by {_describe(self.worker())}: "
                f"watch it with 'rnn-tui watch {self.name}', or stop that first."
            ) from None
        try:
            write_worker(self, pid or os.getpid())
            yield
        finally:
            lock.release()

    def worker(self) -> dict[str, Any]:
        """The host and process that last worked on the run; empty when none has yet."""
        try:
            facts: dict[str, Any] = json.loads((self.path / "worker.json").read_text())
        except (OSError, ValueError):
            return {}
        return facts


def write_worker(run: RunDir, pid: int) -> None:
    """Write down which process of this machine works on the run."""
    created = psutil.Process(pid).create_time() if psutil.pid_exists(pid) else None
    facts = {"host": socket.gethostname(), "pid": pid, "created": created}
    files.write_atomic(run.path / "worker.json", json.dumps(facts))


def _describe(worker: dict[str, Any]) -> str:
    if not worker:
        return "another process"
    return f"process {worker.get('pid')} on {worker.get('host')}"


def is_alive(worker: dict[str, Any]) -> bool | None:
    """Whether the worker's process exists; None when it is on another machine."""
    if not worker:
        return False
    if worker.get("host") != socket.gethostname():
        return None
    try:
        process = psutil.Process(int(worker["pid"]))
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        created = worker.get("created")
        return created is None or abs(process.create_time() - float(created)) < 2
    except (psutil.Error, KeyError, ValueError, TypeError):
        return False


# The words of `state`: in the first a run goes on by itself, in the second it does not.
ACTIVE = {"starting", "live", "stalled"}
ENDED = {"finished", "stopped", "failed", "crashed"}


def state(run: RunDir, last: event_kinds.Event | None, now: float | None = None) -> str:
    """One word for how the run is.

    `starting`, `live`, `stalled` (its process is there but says nothing), `finished`, `stopped`,
    `failed`, or `crashed` (its process is gone without a last word). `last` is its last event.
    """
    now = time.time() if now is None else now
    worker = run.worker()
    there = is_alive(worker)
    if isinstance(last, event_kinds.Finished | event_kinds.Failed):
        if there and (worker.get("created") or 0.0) > last.time:
            return "starting"  # resumed, and has not yet said so
        if isinstance(last, event_kinds.Failed):
            return "failed"
        return "stopped" if last.reason == "stopped" else "finished"
    if not worker and now - _made(run.path) < STALLED_AFTER:
        return "starting"
    if there is False:
        return "crashed"
    if last is None:
        return "starting"
    return "live" if now - last.time < STALLED_AFTER else "stalled"


def _made(path: Path) -> float:
    """When a run was made, by its folder's name, in seconds since 1970; 0 for another name."""
    try:
        return time.mktime(time.strptime(path.name[:15], "%Y%m%d-%H%M%S"))
    except ValueError:
        return 0.0


def check_name(name: str) -> None:
    """Raise InputError when a new run cannot be called so."""
    fits = len(name.encode()) <= _LONGEST_NAME and re.fullmatch(r"\w[\w.+-]*", name)
    if not fits or _STAMP.match(name):
        raise InputError(
            f"--run {name!r} cannot be a run's name: use at most {_LONGEST_NAME} letters, digits, "
            "'-', '_', '.' and '+'."
        )
    if (paths.models() / name).is_dir():  # it would be found in the run's place
        raise InputError(f"A model that comes along is called {name!r}: choose another name.")
    for run in list_runs():
        if run.name == name:
            raise InputError(
                f"There is a run {name!r} already ({run.path}): go on with it by "
                f"'--resume {name}', or choose another name."
            )


def create(name: str, config: configs.RunConfig, facts: dict[str, Any]) -> RunDir:
    """Make a new run's directory, whole or not at all.

    name: as the user calls it; facts: what goes into config.json beside the config.
    Raises InputError when the name is taken or is no name.
    """
    with files.explain_write_errors(paths.runs()):
        paths.runs().mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(paths.runs() / ".lock"):  # two at once must not take one name
        check_name(name)
        return _create(name, config, facts)


def _create(name: str, config: configs.RunConfig, facts: dict[str, Any]) -> RunDir:
    path = paths.runs() / f"{time.strftime('%Y%m%d-%H%M%S')}-{name}"
    with files.atomic_folder(path) as draft:
        (draft / "config.toml").write_text(configs.to_toml(config), encoding="utf-8")
        resolved = {"format": FORMAT, "config": configs.to_mapping(config), **facts}
        text = json.dumps(resolved, indent=2, ensure_ascii=False)
        (draft / "config.json").write_text(text, encoding="utf-8")
        (draft / "events.jsonl").touch()
        for folder in ("checkpoints", "samples", "control"):
            (draft / folder).mkdir()
    return RunDir(path)


def list_runs() -> list[RunDir]:
    """All runs, the newest first."""
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
    try:
        return (path / "config.json").is_file()
    except OSError:  # as of a name too long for any file, or a folder not to be read
        return False


def lookup(name: str) -> RunDir | None:
    """The run of that name (with or without its time) or path, if there is one."""
    for run in list_runs():
        if name in (run.name, run.path.name):
            return run
    return RunDir(Path(name).resolve()) if name and _is_run(Path(name)) else None


def find(name: str | None) -> RunDir:
    """The run of that name (with or without its time) or path; the newest when None."""
    runs = list_runs()
    if name is None:
        if not runs:
            raise InputError(
                f"There are no runs in {paths.runs()}: start one with 'rnn-tui train'."
            )
        return runs[0]
    if run := lookup(name):
        return run
    known = ", ".join(run.name for run in runs[:8]) or "none yet"
    raise InputError(f"There is no run {name!r} in {paths.runs()}: the newest are {known}.")


def remove(run: RunDir) -> None:
    """Delete a run that nobody works on; raises InputError where that cannot be."""
    try:
        with run.lock():
            pass
        shutil.rmtree(run.path)
    except OSError as error:
        raise InputError(
            f"Cannot delete {run.path} ({error.strerror}): make the folder writable."
        ) from error
