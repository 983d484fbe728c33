"""A model as a folder that needs torch and safetensors only: weights, description and model.py."""

import shutil
from pathlib import Path

from engine import files
from engine.errors import InputError
from engine.inference import models
from engine.inference.models import META, WEIGHTS

STANDALONE = Path(__file__).with_name("standalone.py")
MODULE = "model.py"  # its name in the folder


def write(source: Path, folder: Path) -> None:
    """Write the model in the folder `source` to a new folder.

    Raises InputError for an n-gram model, and if `folder` exists already.
    """
    model = models.read(str(source), source)
    if model.config.kind != "network":
        raise InputError(
            f"A {model.config.words} model has no network to export: choose another model."
        )
    if folder.exists():
        raise InputError(f"{folder} exists already: choose another folder.")
    with files.atomic_folder(folder) as draft:
        for name in (WEIGHTS, META):
            shutil.copyfile(source / name, draft / name)
        shutil.copyfile(STANDALONE, draft / MODULE)
        files.write_checksums(draft, (WEIGHTS, META))
