"""Finding models by name, and refusing what is not a model."""

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from engine import paths
from engine.config import Kind
from engine.errors import InputError
from engine.inference import models
from engine.inference.models import ModelMeta
from tests.strange_files import replace

Write = Callable[..., Path]
Make = Callable[..., tuple[ModelMeta, dict[str, Any]]]


def run(home: Path, name: str, stamp: str = "20250102-030405") -> Path:
    folder = home / "runs" / f"{stamp}-{name}"
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    return folder


def edit(folder: Path, **values: Any) -> None:
    meta = json.loads((folder / "meta.json").read_text())
    for key, value in values.items():
        if value is None:
            del meta[key]
        else:
            meta[key] = value
    (folder / "meta.json").write_text(json.dumps(meta))


@pytest.fixture
def assets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "assets", lambda: tmp_path / "assets")
    return tmp_path / "assets"


def test_a_path_is_a_folder_or_its_weights(write: Write, tmp_path: Path) -> None:
    folder = write(tmp_path / "model", layers=3)
    for name in (str(folder), str(folder / "model.safetensors")):
        model = models.load(name)
        assert (model.name, model.path) == (name, folder)
        assert model.config.words == "lstm 3 × 12"
        assert model.conditions == ("Ada Löwe", "The Plain Notes", "Zed")


def test_a_bundled_model_is_found_by_its_name(write: Write, assets: Path, home: Path) -> None:
    write(assets / "models" / "small", kind="markov")
    (assets / "models" / "empty").mkdir()
    assert models.load("small").config.kind == "markov"
    assert models.load(None).name == "small"
    with pytest.raises(InputError, match=r"no model 'smal': did you mean 'small'\?"):
        models.load("smal")


def test_a_run_is_its_best_checkpoint_or_else_its_last(
    write: Write, assets: Path, home: Path
) -> None:
    folder = run(home, "night")
    with pytest.raises(InputError, match=r"run 'night' has no checkpoint yet: .*watch night"):
        models.load("night")
    for step in (1, 2):
        write(folder / "checkpoints" / f"step-{step}", seed=step)
    (folder / "checkpoints" / "last").symlink_to("step-2")
    for name in ("night", "20250102-030405-night", str(folder)):
        assert models.locate(name) == (name, folder / "checkpoints" / "step-2")
    (folder / "checkpoints" / "best").symlink_to("step-1")
    assert models.load("night").path == folder / "checkpoints" / "step-1"
    assert models.load(None).name == "night"


def test_the_included_models_that_a_new_user_meets_first() -> None:
    """The app offers the first model of a kind, and commands use it: the same ones."""
    listed = [info for info in models.list_models() if info.origin == "bundled" and info.meta]
    for kind, name in (("lyrics", "lyrics"), ("music", "chorales")):
        assert next(info.name for info in listed if info.meta and info.meta.kind == kind) == name
        assert models.locate(None, kind)[0] == name


def test_without_a_name_it_is_the_first_model_for_that_kind(
    write: Write, assets: Path, home: Path
) -> None:
    kinds: dict[str, Kind] = {"airs": "music", "songs": "lyrics", "verses": "lyrics"}
    for name, kind in kinds.items():
        edit(write(assets / "models" / name), kind=kind, format=models.FORMATS[kind])
    assert models.locate(None)[0] == "airs"
    assert models.locate(None, "music")[0] == "airs"
    assert models.locate(None, "lyrics")[0] == "songs"
    (assets / "models" / "airs" / "model.safetensors").unlink()
    with pytest.raises(InputError, match="no model yet: train one with 'rnn-tui train music'"):
        models.locate(None, "music")


def test_a_link_to_a_deleted_checkpoint_is_skipped(write: Write, home: Path) -> None:
    folder = run(home, "night")
    (folder / "checkpoints" / "best").symlink_to("step-1")
    write(folder / "checkpoints" / "step-2")
    (folder / "checkpoints" / "last").symlink_to("step-2")
    assert models.locate("night")[1].name == "step-2"


def test_if_a_checkpoint_is_replaced_while_it_is_read_the_new_one_is_read(
    write: Write, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = run(home, "night")
    new = write(folder / "checkpoints" / "step-2")
    found = iter([("night", folder / "checkpoints" / "step-1"), ("night", new)])
    monkeypatch.setattr(models, "locate", lambda name, kind: next(found))
    assert models.load("night").path == new


def test_the_list_has_bundled_models_then_runs_and_the_errors_of_both(
    write: Write, assets: Path, home: Path
) -> None:
    write(assets / "models" / "small", kind="markov")
    run(home, "without-checkpoint", "20250105-000000")
    for name, stamp in (("good", "20250101-000000"), ("bad", "20250103-000000")):
        folder = write(run(home, name, stamp) / "checkpoints" / "step-1")
        (folder.parent / "best").symlink_to("step-1")
    (folder / "meta.json").write_text("{")
    listed = models.list_models()
    assert [(item.name, item.origin) for item in listed] == [
        ("small", "bundled"),
        ("bad", "run"),
        ("good", "run"),
    ]
    assert listed[0].meta
    assert listed[0].meta.model.kind == "markov"
    assert listed[1].meta is None
    assert listed[2].error is None
    assert "not JSON" in (listed[1].error or "")


STRANGE: dict[str, Callable[[Path], object]] = {
    "score": lambda f: edit(f, scores={"valid": {"loss": "low", "bits": 1.0}}),
    "scores": lambda f: edit(f, scores={"valid": 3}),
    "corpus": lambda f: edit(f, corpus={"name": 3}),
    "corpora": lambda f: edit(f, corpus=["originals"]),
    "deep": lambda f: replace(f / "meta.json", "deep"),
    "fifo": lambda f: replace(f / "model.safetensors", "fifo"),
    "socket": lambda f: replace(f / "model.safetensors", "socket"),
    "device": lambda f: replace(f / "model.safetensors", "device"),
    "fifo-of-settings": lambda f: replace(f / "meta.json", "fifo"),
    "folder": lambda f: replace(f / "meta.json", "folder"),
    "flipped": lambda f: (f / "SHA256SUMS").write_text(f"{'0' * 64}  meta.json\n"),
}


def test_strange_folders_are_named_and_the_others_listed(
    write: Write, assets: Path, home: Path
) -> None:
    write(assets / "models" / "good")
    for name, change in STRANGE.items():
        change(write(assets / "models" / f"bad-{name}"))
        folder = write(run(home, f"run-{name}") / "checkpoints" / "step-1")
        (folder.parent / "best").symlink_to("step-1")
        change(folder)
    listed = {item.name: item for item in models.list_models()}
    assert listed.pop("good").error is None
    assert {f"{kind}-{name}" for kind in ("bad", "run") for name in STRANGE} == set(listed)
    for name, item in listed.items():
        assert str(item.path) in (item.error or ""), name
        with pytest.raises(InputError, match=r"model\.safetensors|meta\.json"):
            models.load(name)


def test_any_value_in_a_description_is_read_or_refused(write: Write, tmp_path: Path) -> None:
    folder = write(tmp_path / "model")
    values = json.loads((folder / "meta.json").read_text())

    def places(table: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
        for key, value in list(table.items()):
            yield table, key
            if isinstance(value, dict):
                yield from places(value)

    for table, key in places(values):
        before = table[key]
        others: list[Any] = [None, True, -1, 1e999, "x", [], [[]], {}, {"a": {}}]
        for value in others:
            table[key] = value
            with contextlib.suppress(InputError):
                meta = ModelMeta.from_json(values, "it")
                json.dumps([meta.to_json(), meta.model.words])
        table[key] = before
    assert ModelMeta.from_json(values, "it") == models.read_meta(folder)


@pytest.mark.parametrize("name", ["nowhere", "no/where", "", "x" * 5000, "a\0b", "\ud800"])
def test_a_model_that_does_not_exist_is_refused(name: str, home: Path, assets: Path) -> None:
    with pytest.raises(InputError, match=r"no model|Cannot read .*meta\.json"):
        models.load(name)


def test_the_error_without_any_model_names_the_remedy(home: Path, assets: Path) -> None:
    with pytest.raises(InputError, match="no model yet: train one"):
        models.load(None)


def test_another_file_is_not_a_model(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("la la")
    with pytest.raises(InputError, match=r"notes\.txt is not a model"):
        models.load(str(tmp_path / "notes.txt"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: (f / "meta.json").unlink(), r"Cannot read .*meta\.json \(No such file"),
        (lambda f: (f / "meta.json").write_text("{]"), r"meta\.json is not JSON"),
        (lambda f: (f / "meta.json").write_bytes(b"\xff\xfe\0"), r"meta\.json is not JSON"),
        (lambda f: (f / "meta.json").write_text("[1]"), "does not describe a model"),
        (lambda f: (f / "meta.json").write_text('{"format": "x"}'), "does not describe a model"),
        (lambda f: edit(f, format=1), "has format 1, this version reads format 2 of lyrics: use"),
        (lambda f: edit(f, kind="music"), "has format 2, this version reads format 3 of music"),
        (lambda f: edit(f, kind="drums"), "a model for drums"),
        (
            lambda f: edit(f, kind="music", format=3),
            "a model for music with frames of characters",
        ),
        (lambda f: edit(f, codec=None), "no valid 'codec'"),
        (lambda f: edit(f, conditions=[1, 2, 3]), "no valid 'conditions'"),
        (lambda f: edit(f, lengths=[30, 20]), "no valid 'lengths'"),
        (lambda f: edit(f, lengths=["20"]), "no valid 'lengths'"),
        (lambda f: edit(f, lengths=20), "no valid 'lengths'"),
        (lambda f: edit(f, codec={"kind": "keys"}), r"meta\.json: The codec is not one of piano"),
        (lambda f: edit(f, codec={"kind": "characters", "characters": ""}), "has no characters"),
        (
            lambda f: edit(f, model={"cell": "tcn"}),
            r"meta\.json: model\.cell must be rnn, gru or lstm, not 'tcn'",
        ),
        (
            lambda f: edit(f, model={"hiden": 3}),
            r"meta\.json: it has an unknown key 'model\.hiden'",
        ),
        (lambda f: (f / "model.safetensors").unlink(), r"There is no .*model\.safetensors"),
        (lambda f: (f / "model.safetensors").write_bytes(b""), "damaged or not a safetensors file"),
        (
            lambda f: (f / "model.safetensors").write_bytes(b"PK\3\4" * 99),
            "damaged or not a safetensors file",
        ),
        (
            lambda f: os.truncate(f / "model.safetensors", 3000),
            "damaged or not a safetensors file",
        ),
        (
            lambda f: edit(f, conditions=["Ada"]),
            r"tensor condition\.weight in .* has shape \(4, 5\), .* requires \(2, 5\)",
        ),
    ],
)
def test_a_damaged_model_is_refused_in_a_sentence(
    write: Write, tmp_path: Path, change: Callable[[Path], object], words: str
) -> None:
    folder = write(tmp_path / "model")
    change(folder)
    with pytest.raises(InputError, match=words) as caught:
        models.load(str(folder))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.pop("head.bias"), "lacks the tensor head.bias"),
        (lambda t: t.update(more=np.zeros(2)), "has a tensor more that"),
        (
            lambda t: t.update({"cells.1.input": np.zeros((11, 48), np.float32)}),
            r"tensor cells\.1\.input in .* has shape \(11, 48\), .* requires \(12, 48\)",
        ),
        (
            lambda t: t["head.embedding"].__setitem__((2, 3), np.nan),
            r"head\.embedding .* not finite",
        ),
        (lambda t: t["cells.0.bias"].__setitem__(0, np.inf), r"cells\.0\.bias .* not finite"),
        (lambda t: t.update({"head.bias": t["head.bias"].astype(np.int64)}), "not finite numbers"),
    ],
)
def test_tensors_that_do_not_fit_are_named(
    write: Write, make: Make, tmp_path: Path, change: Callable[[Any], object], words: str
) -> None:
    folder = write(tmp_path / "model")
    _, tensors = make()
    change(tensors)
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(InputError, match=words):
        models.load(str(folder))


def test_counts_that_do_not_fit_are_named(write: Write, make: Make, tmp_path: Path) -> None:
    folder = write(tmp_path / "model", kind="markov", order=2)
    edit(folder, model={"kind": "markov", "order": 3})
    with pytest.raises(InputError, match=r"damaged \(the tensor levels\.3\.contexts is missing\)"):
        models.load(str(folder))


def test_half_precision_is_read_as_single(write: Write, make: Make, tmp_path: Path) -> None:
    folder = write(tmp_path / "model")
    _, tensors = make()
    halves = {name: tensor.astype(np.float16) for name, tensor in tensors.items()}
    save_file(halves, folder / "model.safetensors")
    stepper = models.load(str(folder)).stepper
    assert stepper.step(stepper.initial_state(None, 1), np.array([0])).dtype == np.float32


def test_the_version_of_a_file_changes_with_it(write: Write, tmp_path: Path) -> None:
    folder = write(tmp_path / "model")
    before = models.file_version(folder)
    assert models.file_version(folder) == before
    os.utime(folder / "model.safetensors", ns=(1, 1))
    assert models.file_version(folder) != before
