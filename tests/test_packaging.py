"""The wheel and the sdist: built, and the wheel installed in an environment elsewhere."""

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
VERSION = metadata.version("rnn-tui")


def _run(*words: object, cwd: Path = ROOT) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "RNN_TUI"))}
    environment["RNN_TUI_HOME"] = str(cwd / "home")
    done = subprocess.run(
        [str(word) for word in words], cwd=cwd, capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_wheel_of_the_sdist_is_installed_elsewhere_and_writes(tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", dist, ROOT, cwd=tmp_path)
    (wheel,), (sdist,) = dist.glob("*.whl"), dist.glob("*.tar.gz")  # the wheel is built from it
    with tarfile.open(sdist) as file:
        names = {name.partition("/")[2] for name in file.getnames()}
    assert {"README.md", "LICENSE", "constraints.txt", "docs/python.md"} <= names
    assert "tests/test_packaging.py" in names
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {"engine/py.typed", "tui/py.typed", "tui/app.tcss"} <= names
    assert "engine/interchange/standalone.py" in names
    assert "engine/_assets/models/lyrics/model.safetensors" in names
    assert not any(name.startswith(("tests", "assets", "docs")) for name in names)

    venv.create(tmp_path / "elsewhere", with_pip=False)
    python = tmp_path / "elsewhere" / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python)
    _run(*pip, "install", "--no-deps", "--no-index", "--quiet", wheel, cwd=tmp_path)
    folder = next((tmp_path / "elsewhere" / "lib").glob("python*")) / "site-packages"
    # The dependencies are those of this environment; the wheel's own packages go before.
    (folder / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    program = python.with_name("rnn-tui")
    assert _run(program, "--version", cwd=tmp_path) == f"rnn-tui {VERSION}\n"
    where = _run(
        python, "-c", "import engine, tui; print(engine.__file__, tui.__file__)", cwd=tmp_path
    )
    assert all(Path(name).is_relative_to(folder) for name in where.split())
    song = ("sample", "lyrics", "--prime", "Why", "--length", 40, "--seed", 1, "--raw")
    assert len(_run(program, *song, cwd=tmp_path)) == len("Why") + 40 + 1
    assert "originals" in _run(program, "data", "list", cwd=tmp_path)


def test_the_readme_names_the_versions_of_python() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'requires-python = ">=3.11,<3.15"' in text
    assert "Python 3.11 to 3.14" in (ROOT / "README.md").read_text(encoding="utf-8")
