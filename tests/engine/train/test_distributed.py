"""Several ranks train one run: same weights as one rank, resumed with any number, stopped together.

The ranks are forked from this process, where torch is imported already.
"""

import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable
from multiprocessing.context import ForkProcess
from pathlib import Path

import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.data.batches import rank_slice
from engine.errors import InputError, WorkError
from engine.runs import events
from engine.runs.event_log import EventReader
from engine.runs.run_dir import RunDir
from engine.train import distributed, launch, worker
from engine.train.distributed import JoinStopped, Ranks
from tests.engine.train.conftest import MakeConfig, free_port, start_ranks

# Without dropout, which differs between ranks.
PLAIN = ("model.dropout=0", "train.sample_every=0", "train.batch_size=12")


def train(run: RunDir, size: int) -> None:
    """Train a run to its end in `size` ranks."""
    if size == 1:
        worker.train_run(run)
        return
    join_all(start_ranks(run, size))


def join_all(processes: list[ForkProcess]) -> None:
    """Wait until the ranks have ended without an error."""
    try:
        for process in processes:
            process.join(120)
            assert process.exitcode == 0
    finally:
        for process in processes:
            process.kill()


def wait_for_step(run: RunDir) -> None:
    """Wait until a run has reported a step."""
    deadline = time.monotonic() + 60
    while not any(isinstance(event, events.Step) for event in events_of(run)):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def checkpoint_tensors(run: RunDir) -> dict[str, torch.Tensor]:
    """Return all tensors of the last checkpoint."""
    folder = run.checkpoints / "last"
    files = [safetensors.torch.load_file(folder / f"{name}.safetensors") for name in NAMES]
    return files[0] | {f"average/{name}": tensor for name, tensor in files[1].items()}


NAMES = ("trainer", "model")


def weights_differ_by(one: RunDir, other: RunDir) -> float:
    """Return the largest difference of a weight or an averaged weight."""
    ours, theirs = checkpoint_tensors(one), checkpoint_tensors(other)
    assert ours.keys() == theirs.keys()
    names = [name for name in ours if name.startswith(("weights/", "average/"))]
    return max((ours[name] - theirs[name]).abs().max().item() for name in names)


def assert_same(one: RunDir, other: RunDir) -> None:
    """Assert that the last checkpoints are equal to the last bit."""
    ours, theirs = checkpoint_tensors(one), checkpoint_tensors(other)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def events_of(run: RunDir) -> list[events.Event]:
    return EventReader(run.events).poll()


@given(each=st.integers(1, 9), size=st.integers(1, 9))
def test_ranks_divide_all_streams_in_order(each: int, size: int) -> None:
    streams = range(each * size)
    shares = [streams[rank_slice(len(streams), rank, size)] for rank in range(size)]
    assert [stream for part in shares for stream in part] == list(streams)
    assert {len(part) for part in shares} == {each}


def test_an_indivisible_batch_is_refused_before_anything_is_written(
    make_config: MakeConfig, home: Path
) -> None:
    with pytest.raises(InputError, match=r"3 processes cannot share train.batch_size = 4 equally"):
        launch.new_run(make_config(), "odd", ranks=3)
    assert not (home / "runs").exists()
    run = launch.new_run(make_config("train.steps=3"), "even")
    worker.train_run(run)
    metadata = run.metadata()
    with pytest.raises(InputError, match="cannot share"):
        launch.resume("even", ["train.steps=6"], ranks=8)
    assert run.metadata() == metadata


def test_an_ngram_model_takes_one_process(make_config: MakeConfig, home: Path) -> None:
    with pytest.raises(InputError, match="is trained in one process"):
        launch.new_run(make_config("model.kind=markov"), "counted", ranks=2)
    assert not (home / "runs").exists()


def test_ranks_from_the_environment_of_torchrun() -> None:
    values = {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4"}
    ranks = Ranks.from_environment(
        {**values, "TORCHELASTIC_RUN_ID": "x", "TORCHELASTIC_RESTART_COUNT": "2"}
    )
    assert ranks == Ranks(5, 8, 1, 4, os.getppid(), 2)
    assert not ranks.is_orphaned
    assert Ranks.from_environment({}) == Ranks()


@pytest.mark.slow
@pytest.mark.parametrize(("size", "segment"), [(2, 0), (3, 0), (2, 5)])
def test_ranks_train_the_same_weights_as_one(
    make_config: MakeConfig, size: int, segment: int
) -> None:
    settings = (*PLAIN, f"train.checkpoint_segment={segment}")
    one = launch.new_run(make_config(*settings), "one")
    worker.train_run(one)
    more = launch.new_run(make_config(*settings), "more", ranks=size)
    train(more, size)
    assert weights_differ_by(one, more) < 1e-6
    for event, other in zip(events_of(one), events_of(more), strict=True):
        assert type(event) is type(other)
        if isinstance(event, events.Step) and isinstance(other, events.Step):
            assert other.loss == pytest.approx(event.loss, rel=1e-5)
            assert other.grad_norm == pytest.approx(event.grad_norm, rel=1e-3)
            assert other.memory_mb > event.memory_mb  # of all ranks together
    started = events_of(more)[0]
    assert isinstance(started, events.Started)
    assert started.ranks == size
    assert started.frames_per_step == 12 * 16


@pytest.mark.slow
def test_a_run_resumes_with_another_number_of_ranks(make_config: MakeConfig) -> None:
    one = launch.new_run(make_config(*PLAIN, "train.min_lr_ratio=1"), "one")
    worker.train_run(one)
    run = launch.new_run(make_config(*PLAIN, "train.min_lr_ratio=1", "train.steps=8"), "moved")
    train(run, 1)
    for steps, size in ((14, 2), (19, 3), (24, 1)):
        launch.resume("moved", [f"train.steps={steps}"], ranks=size)
        train(run, size)
    assert weights_differ_by(one, run) < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("size", [2, 3])
def test_resumed_ranks_equal_uninterrupted_ones_to_the_last_bit(
    make_config: MakeConfig, size: int
) -> None:
    """With dropout, also of artists; three ranks sum their gradients in a fixed order too."""
    settings = ("train.batch_size=6", "train.min_lr_ratio=1", "train.sample_every=0")
    whole = launch.new_run(make_config(*settings), "whole", ranks=size)
    train(whole, size)
    parts = launch.new_run(make_config(*settings, "train.steps=7"), "parts", ranks=size)
    train(parts, size)
    launch.resume("parts", ["train.steps=24"], ranks=size)
    train(parts, size)
    assert_same(whole, parts)


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_a_signal_to_one_rank_stops_all_at_the_same_step(
    make_config: MakeConfig, rank: int
) -> None:
    run = launch.new_run(
        make_config("train.steps=100000", "train.save_every=100000"), "long", ranks=2
    )
    processes = start_ranks(run, 2)
    wait_for_step(run)
    os.kill(processes[rank].pid or 0, signal.SIGTERM)
    join_all(processes)
    last = events_of(run)[-1]
    assert isinstance(last, events.Finished)
    assert last.reason == "stopped"
    assert run.last_step() == last.step


@pytest.mark.parametrize("joined", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_request_file_reaches_all_ranks(make_config: MakeConfig, joined: bool) -> None:
    run = launch.new_run(
        make_config("train.steps=100000", "train.save_every=100000"), "long", ranks=2
    )
    if not joined:
        run.request("stop")
    processes = start_ranks(run, 2)
    if joined:
        wait_for_step(run)
        run.request("stop")
    join_all(processes)
    last = events_of(run)[-1]
    assert isinstance(last, events.Finished)
    assert last.reason == "stopped"
    assert bool(last.step) == joined
    assert not list((run.path / "control").iterdir())


@pytest.fixture
def store_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ranks without torchrun meet at a free port of this machine."""
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("MASTER_PORT", str(free_port()))


def join(rank: int, size: int = 2, poll: Callable[[], set[str]] = set) -> None:
    """Connect a rank and disconnect it at once."""
    with Ranks(rank, size).connected(False, poll):
        pass


@pytest.mark.usefixtures("store_address")
def test_ranks_that_do_not_join_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed, "JOIN_SECONDS", 0.1)
    monkeypatch.setattr(distributed, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr(distributed, "LEAVE_SECONDS", 0.1)
    with pytest.raises(WorkError, match=rf"2 of 3 .* rank 1, 2\. Those on {socket.gethostname()} "):
        join(0, 3)


@pytest.mark.usefixtures("store_address")
def test_a_stop_is_not_lost_when_the_last_rank_joins_at_the_same_time() -> None:
    """A request in the control folder is read once."""
    context = multiprocessing.get_context("fork")
    arrived = context.Event()

    def note_arrival() -> set[str]:
        arrived.set()
        return set()

    def join_second() -> None:
        with pytest.raises(JoinStopped):
            join(1, 2, note_arrival)

    other = context.Process(target=join_second)
    requests = [{"stop"}]

    def poll() -> set[str]:
        if other.pid is None:  # the store is open now
            other.start()
            assert arrived.wait(60)
        return requests.pop() if requests else set()

    with pytest.raises(JoinStopped):
        join(0, 2, poll)
    join_all([other])


@pytest.mark.slow
@pytest.mark.usefixtures("store_address")
def test_without_the_first_rank_its_address_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed, "JOIN_SECONDS", 0.1)
    with pytest.raises(WorkError, match=r"cannot be reached at 127\.0\.0\.1:\d+"):
        join(1)


@pytest.mark.slow
@pytest.mark.usefixtures("store_address")
def test_a_stop_while_ranks_join_stops_all(
    make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def join_second() -> None:
        with pytest.raises(JoinStopped):
            join(1, 3)

    other = multiprocessing.get_context("fork").Process(target=join_second)
    other.start()
    monkeypatch.setattr(distributed, "LEAVE_SECONDS", 5)  # the third rank never comes
    run = launch.new_run(make_config(), "alone")
    run.request("stop")
    worker.train_run(run, ranks=Ranks(0, 3))
    last = events_of(run)[-1]
    assert isinstance(last, events.Finished)
    assert (last.step, last.reason) == (0, "stopped")
    other.join(60)
    assert other.exitcode == 0


@pytest.mark.usefixtures("store_address")
def test_a_rank_that_fails_before_it_joins_ends_the_others(
    make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["worker", "missing"])
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    context = multiprocessing.get_context("fork")
    other = context.Process(target=lambda: os._exit(worker.main()))

    def poll() -> set[str]:
        if other.pid is None:  # the store is open now
            other.start()
        return set()

    with (
        pytest.raises(WorkError, match=r"Process 1 on .*: There is no run 'missing'"),
        Ranks(0, 2).connected(False, poll),
    ):
        pass
    other.join(60)
    assert other.exitcode == 2


def test_a_rank_without_a_sign_of_life_ends_the_others(
    make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(distributed, "LOST_SECONDS", 0.9)
    run = launch.new_run(
        make_config("train.steps=100000", "train.save_every=100000"), "long", ranks=2
    )
    first, second = start_ranks(run, 2)
    while not any(isinstance(event, events.Step) for event in events_of(run)):
        assert first.is_alive()
        time.sleep(0.01)
    os.kill(second.pid or 0, signal.SIGSTOP)
    try:
        first.join(60)
        assert first.exitcode == 1
        assert "Process 1 on " in capfd.readouterr().err
    finally:
        second.kill()
