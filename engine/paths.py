"""Paths of the user's folders (runs, corpora, data) and of the assets that are included."""

import os
from pathlib import Path

import platformdirs

HOME_VARIABLE = "RNN_TUI_HOME"


def home() -> Path:
    """Return the folder for data and runs: `$RNN_TUI_HOME`, or the platform's user data folder."""
    chosen = os.environ.get(HOME_VARIABLE)
    return Path(chosen) if chosen else platformdirs.user_data_path("rnn-tui", appauthor=False)


def runs() -> Path:
    """Return the folder of run directories."""
    return home() / "runs"


def corpora() -> Path:
    """Return the folder of prepared corpora."""
    return home() / "corpora"


def data() -> Path:
    """Return the folder of downloaded data sets."""
    return home() / "data"


def models() -> Path:
    """Return the folder of included models."""
    return assets() / "models"


def assets() -> Path:
    """Return the folder of included presets, corpora and models.

    It is `engine/_assets` in an installed package and `assets` in a checkout.
    """
    package = Path(__file__).parent
    packaged = package / "_assets"
    return packaged if packaged.is_dir() else package.parent / "assets"
