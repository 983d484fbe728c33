"""Rules of the architecture that a machine can check: linters, types, imports, packaging."""

import ast
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOOLS = {
    "ruff check": ["ruff", "check", "--quiet"],
    "ruff format": ["ruff", "format", "--check", "--quiet"],
    "mypy": ["mypy"],
}


# mypy takes half a minute without its cache, which a fresh clone does not have.
@pytest.mark.parametrize(
    "tool", [pytest.param(tool, marks=[pytest.mark.slow] * (tool == "mypy")) for tool in TOOLS]
)
def test_tool_finds_nothing(tool: str) -> None:
    name, *words = TOOLS[tool]
    done = subprocess.run(
        [sys.executable, "-m", name, *words, *(["."] if name == "ruff" else [])],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_import_contracts_are_kept() -> None:
    code = "import sys; from importlinter.cli import lint_imports_command as c; sys.exit(c())"
    done = subprocess.run(
        [sys.executable, "-c", code, "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("tui.app", {"torch", "scipy", "pretty_midi"}),
        ("tui.cli", {"torch", "numpy", "textual", "rich"}),
        ("engine.sampler_process", {"torch", "textual", "rich"}),
        ("engine.data.corpus", {"torch"}),
        ("engine.train.launch", {"torch"}),
    ],
)
def test_an_import_loads_nothing_heavy(module: str, heavy: set[str]) -> None:
    """Seconds of torch are not paid before they are needed."""
    code = f"import sys, {module}; print(*sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_the_packages_names_are_ours_alone() -> None:
    owners = metadata.packages_distributions()
    for name in ("engine", "tui"):  # an editable install is in no one's list
        assert set(owners.get(name, ())) <= {"rnn-tui"}


def test_nothing_unpickles() -> None:
    """Opening a stranger's model runs nothing."""
    names = {"pickle", "joblib", "dill", "shelve", "marshal"}
    for path in (ROOT / "engine").rglob("*.py"):
        loads, safe = 0, 0
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert not names & {alias.name for alias in node.names}, path
            if isinstance(node, ast.ImportFrom):
                assert node.module not in names, path
            if isinstance(node, ast.Attribute):
                loads += ast.unparse(node) == "torch.load"
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
                safe += "weights_only=True" in map(ast.unparse, node.keywords)
        assert loads == safe, path
