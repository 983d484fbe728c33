"""Lines that a process reads and writes."""

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from engine import processes

READER = """
import threading
from engine import processes

over = threading.Event()
processes.read_lines(lambda line: processes.write_line(repr(line)), over.set)
over.wait()
processes.write_line("over")
"""
WRITER = """
import sys, threading
from engine.processes import MAX_BACKLOG, LineWriter

closed = threading.Event()
writer = LineWriter(str, closed.set)
"""

Process = subprocess.Popen[bytes]


@pytest.fixture
def started() -> Iterator[list[Process]]:
    processes: list[Process] = []
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def run(started: list[Process], code: str) -> Process:
    pipe = subprocess.PIPE
    arguments = [sys.executable, "-c", code]
    started.append(subprocess.Popen(arguments, stdin=pipe, stdout=pipe, stderr=pipe))
    return started[-1]


def test_lines_are_received_until_stdin_ends(started: list[Process]) -> None:
    process = run(started, READER)
    out, err = process.communicate(b"one\n\n  \n\xff\nlast", timeout=30)
    assert out.decode().splitlines() == [r"b'one\n'", r"b'\xff\n'", "b'last'", "over"]
    assert err == b""


def test_lines_are_written_whole_and_in_order(started: list[Process]) -> None:
    lines = 'lines = ["a" * 300_000, "b", "c"]\nfor line in lines:\n    writer.write(line)\n'
    out, err = run(started, WRITER + lines + "writer.close(30)").communicate(timeout=30)
    assert out.split() == [b"a" * 300_000, b"b", b"c"]
    assert err == b""


def test_where_many_wait_those_that_may_be_are_dropped(started: list[Process]) -> None:
    code = """
writer.write("x" * 1_000_000)  # more than a pipe holds
for number in range(MAX_BACKLOG + 50):
    writer.write(f"d{number}", droppable=True)
    writer.write(f"k{number}")
print("written", file=sys.stderr, flush=True)
sys.stdin.read()
writer.close(30)
"""
    process = run(started, WRITER + code)
    assert process.stderr
    assert process.stderr.readline() == b"written\n"  # though nothing was read yet
    out, _ = process.communicate(timeout=30)
    first, *rest = out.decode().split()
    assert len(first) == 1_000_000
    count = processes.MAX_BACKLOG + 50
    assert [line for line in rest if line[0] == "k"] == [f"k{n}" for n in range(count)]
    assert 0 < sum(line[0] == "d" for line in rest) < count


def test_it_is_called_where_stdout_has_no_reader(started: list[Process]) -> None:
    code = 'sys.stdin.readline(); writer.write("x"); print(closed.wait(30), file=sys.stderr)'
    process = run(started, WRITER + code)
    assert process.stdin
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    process.stdin.write(b"\n")
    process.stdin.flush()
    assert process.stderr.read() == b"True\n"


def test_closing_waits_no_longer_than_it_is_told(started: list[Process]) -> None:
    code = 'writer.write("x" * 1_000_000); writer.close(0.1); print("left", file=sys.stderr)'
    start = time.monotonic()
    process = run(started, WRITER + code)
    assert process.stderr
    assert process.stderr.read() == b"left\n"
    assert time.monotonic() - start < 30


def test_a_module_of_ours_is_run_with_no_other_folder_searched() -> None:
    assert processes.command("engine.x") == (sys.executable, "-P", "-m", "engine.x")
