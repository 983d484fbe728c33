"""A run's directory: its files, who works on it, what it says, and how it is told to stop."""

import contextlib
import json
import os
import re
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock
import psutil

from engine import config as configs
from engine import events as event_kinds
from engine import files, paths
from engine.errors import InputError

STALLED_AFTER = 30.0  # seconds without a word; the trainer says something every few seconds
REQUESTS = ("stop", "save", "sample")
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
        return configs.from_mapping(self.facts()["config"], str(self.path / "config.json"))

    def facts(self) -> dict[str, Any]:
        """The whole of config.json: the config, and the versions and the corpus it met."""
        path = self.path / "config.json"
        try:
            facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"{path} cannot be read ({error}): name another run.") from error
        return facts

    def last_step(self) -> int | None:
        """The step of the last checkpoint; None where there is none."""
        try:
            meta = json.loads((self.checkpoints / "last" / "meta.json").read_text())
            return int(meta["step"])
        except (OSError, ValueError, KeyError):
            return None

    def ask(self, request: str) -> None:
        """Ask the run for something (one of REQUESTS); it answers at its next step."""
        files.write_atomic(self.path / "control" / request, "")

    def take_requests(self) -> set[str]:
        """What was asked since the last look; called by the trainer."""
        taken = set()
        for request in REQUESTS:
            with contextlib.suppress(FileNotFoundError):
                (self.path / "control" / request).unlink()
                taken.add(request)
        return taken

    @contextlib.contextmanager
    def working(self, patience: float = 0.0) -> Iterator[None]:
        """Hold the run: no second trainer may work on it. The lock goes with the process."""
        lock = filelock.FileLock(self.path / "worker.lock", timeout=patience)
        try:
            lock.acquire()
        except filelock.Timeout:
            raise InputError(
                f"The run {self.name!r} is already being trained by {_describe(self.worker())}: "
                f"watch it with 'rnn-tui watch {self.name}', or stop that first."
            ) from None
        try:
            files.write_atomic(self.path / "worker.json", json.dumps(_this_process()))
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


def _this_process() -> dict[str, Any]:
    me = psutil.Process()
    return {"host": socket.gethostname(), "pid": me.pid, "created": me.create_time()}


def record_worker(run: RunDir, pid: int) -> None:
    """Write down a process just spawned for the run, before it can do so itself."""
    facts = {"host": socket.gethostname(), "pid": pid, "created": None}
    files.write_atomic(run.path / "worker.json", json.dumps(facts))


def _describe(worker: dict[str, Any]) -> str:
    if not worker:
        return "another process"
    return f"process {worker.get('pid')} on {worker.get('host')}"


def alive(worker: dict[str, Any]) -> bool | None:
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


def state(run: RunDir, last: event_kinds.Event | None, now: float | None = None) -> str:
    """One word for how the run is.

    `starting`, `live`, `stalled` (its process is there but says nothing), `finished`, `stopped`,
    `failed`, or `crashed` (its process is gone without a last word). `last` is its last event.
    """
    if isinstance(last, event_kinds.Finished):
        return "stopped" if last.reason == "stopped" else "finished"
    if isinstance(last, event_kinds.Failed):
        return "failed"
    there = alive(run.worker())
    if there is False:
        return "crashed"
    if last is None:
        return "starting"
    silence = (time.time() if now is None else now) - last.time
    return "live" if silence < STALLED_AFTER else "stalled"


def check_name(name: str) -> None:
    """Raise InputError when a new run cannot be called so."""
    if not re.fullmatch(r"\w[\w.+-]{0,79}", name) or _STAMP.match(name):
        raise InputError(
            f"--run {name!r} cannot be a run's name: use letters, digits, '-', '_', '.' and '+'."
        )
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
    check_name(name)
    path = paths.runs() / f"{time.strftime('%Y%m%d-%H%M%S')}-{name}"
    with files.atomic_folder(path) as draft:
        (draft / "config.toml").write_text(configs.to_toml(config), encoding="utf-8")
        resolved = {"config": configs.to_mapping(config), **facts}
        text = json.dumps(resolved, indent=2, ensure_ascii=False)
        (draft / "config.json").write_text(text, encoding="utf-8")
        (draft / "events.jsonl").touch()
        for folder in ("checkpoints", "samples", "control"):
            (draft / folder).mkdir()
    return RunDir(path)


def list_runs() -> list[RunDir]:
    """All runs, the newest first."""
    folder = paths.runs()
    if not folder.is_dir():
        return []
    found = [RunDir(path) for path in folder.iterdir() if (path / "config.json").is_file()]
    return sorted(found, key=lambda run: run.path.name, reverse=True)


def find(name: str | None) -> RunDir:
    """The run of that name (with or without its time) or path; the newest when None."""
    runs = list_runs()
    if name is None:
        if not runs:
            raise InputError(
                f"There are no runs in {paths.runs()}: start one with 'rnn-tui train'."
            )
        return runs[0]
    for run in runs:
        if name in (run.name, run.path.name):
            return run
    if (Path(name) / "config.json").is_file():
        return RunDir(Path(name))
    known = ", ".join(run.name for run in runs[:8]) or "none yet"
    raise InputError(f"There is no run {name!r} in {paths.runs()}: the newest are {known}.")


def remove(run: RunDir) -> None:
    """Delete a run that nobody works on."""
    with run.working():
        pass
    shutil.rmtree(run.path)


class EventLog:
    """Appends events to a run's file, each in one write, and tells them to `listener` too."""

    def __init__(
        self, path: Path, listener: Callable[[event_kinds.Event], None] | None = None
    ) -> None:
        self._path, self._listener = path, listener
        self._last = time.monotonic()
        with files.refusing_full_disk(path):
            self._descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
            self._drop_torn_line()

    def _drop_torn_line(self) -> None:
        """Cut what a killed trainer left after the last newline."""
        size = os.fstat(self._descriptor).st_size
        kept = size
        while kept:
            block = min(kept, 4096)
            found = os.pread(self._descriptor, block, kept - block).rfind(b"\n")
            if found >= 0:
                kept = kept - block + found + 1
                break
            kept -= block
        if kept != size:
            os.ftruncate(self._descriptor, kept)

    def append(self, event: event_kinds.Event) -> None:
        """Write one line."""
        line = (event_kinds.encode(event) + "\n").encode()
        with files.refusing_full_disk(self._path):
            os.write(self._descriptor, line)
        self._last = time.monotonic()
        if self._listener is not None:
            self._listener(event)

    def quiet(self, seconds: float = 5.0) -> bool:
        """Whether nothing has been said for so long: time for a sign of life."""
        return time.monotonic() - self._last > seconds

    def close(self) -> None:
        """Give the file back."""
        os.close(self._descriptor)


class EventReader:
    """Reads a run's events as they come; a last line without its newline means "not yet"."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def read(self) -> list[event_kinds.Event]:
        """The whole new lines since the last call; lines of no known event are passed over."""
        try:
            with self._path.open("rb") as file:
                if os.fstat(file.fileno()).st_size < self._offset:
                    self._offset = 0  # a torn last line was never consumed, so this is a new file
                file.seek(self._offset)
                block = file.read()
        except FileNotFoundError:
            return []
        whole = block.rfind(b"\n") + 1
        self._offset += whole
        lines = block[:whole].decode(errors="replace").split("\n")  # splitlines cuts at U+2028 too
        return [event for line in lines if (event := event_kinds.decode(line)) is not None]
