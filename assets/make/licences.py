"""Write docs/licences.md, the packages that an installation has: `python -m assets.make.licences`.

The licences are those that the installed packages declare.
"""

import tomllib
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "licences.md"
# Packages of extras that the extra dev does not have.
_NOT_IN_DEV = {"kagglehub": "Apache-2.0", "wandb": "MIT"}
# Parts of PyTorch's build for NVIDIA GPUs, which the text names.
_CUDA = ("cuda-", "nvidia-cu", "nvidia-nccl", "nvidia-nv", "triton")
_DECLARED_OTHERWISE = {"python-rtmidi": "MIT"}  # its field refers to a file
_TEXT = """\
<!-- Written by `python -m assets.make.licences`. -->

# Licences of others

rnn-tui is under the MIT licence (LICENSE); the songs and pieces in `assets/corpora` are CC0. The
cards of the included models name what they were trained on. Nothing below is copied into rnn-tui:
pip installs it beside.

The built-in synthesizer plays the SoundFont TimGM6mb.sf2 of Tim Brechbill (GPL-2.0), a file of the
package pretty_midi. PyTorch's build for NVIDIA GPUs also installs CUDA libraries under NVIDIA's
licence. Each of kagglehub and wandb needs further packages, which its page names.
"""


def main() -> None:
    """Write the page."""
    rows = {**_NOT_IN_DEV, **licences()}
    names = sorted(rows, key=str.casefold)
    lines = ["", "| package | licence |", "|---|---|", *(row(name, rows[name]) for name in names)]
    PAGE.write_text(_TEXT + "\n".join(lines) + "\n", encoding="utf-8")


def row(name: str, licence: str) -> str:
    """Return a package's row of the table."""
    return f"| [{name}](https://pypi.org/project/{name}/) | {licence} |"


def licences() -> dict[str, str]:
    """Return the licence of each installed package that rnn-tui or one of its extras needs.

    Packages that the extra dev does not have are left out, with those that they need.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [line for name, lines in project["optional-dependencies"].items() for line in lines
              if name != "dev"]  # fmt: skip
    found: dict[str, str] = {}
    seen: set[str] = set()  # names with extras
    waiting = [*_needed((*project["dependencies"], *extras), ())]
    while waiting:
        requirement = waiting.pop()
        if requirement.name in _NOT_IN_DEV:
            continue
        key = f"{requirement.name} {sorted(requirement.extras)}"
        try:
            package = metadata.distribution(requirement.name)
        except metadata.PackageNotFoundError:
            continue
        name = package.metadata["Name"]
        if key not in seen and not name.startswith(_CUDA):
            seen.add(key)
            found[name] = next(_declared(package), "see its page")
            waiting += _needed(package.requires or [], requirement.extras)
    return found


def _needed(lines: Iterable[str], extras: Iterable[str]) -> Iterator[Requirement]:
    """Yield the requirements that apply here, to a package with these extras of its own."""
    for requirement in map(Requirement, lines):
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield requirement


def _declared(package: metadata.Distribution) -> Iterator[str]:
    """Yield the licence that a package declares, in each of the fields that may have it."""
    fields = package.metadata
    if fields["Name"] in _DECLARED_OTHERWISE:
        yield _DECLARED_OTHERWISE[fields["Name"]]
    for field in ("License-Expression", "License"):
        if field in fields and fields[field] and "\n" not in fields[field]:
            yield fields[field]
    for line in fields.get_all("Classifier") or []:
        if line.startswith("License :: "):
            yield line.split(" :: ")[-1]


if __name__ == "__main__":
    main()
