"""Where things live: the user's data folder and the assets that come with the program."""

import os
from pathlib import Path

import platformdirs

HOME_VARIABLE = "RNN_TUI_HOME"


def home() -> Path:
    """The folder for data, models and runs: `$RNN_TUI_HOME`, or the platform's user data folder."""
    chosen = os.environ.get(HOME_VARIABLE)
    return Path(chosen) if chosen else platformdirs.user_data_path("rnn-tui", appauthor=False)


def runs() -> Path:
    """The folder of run directories."""
    return home() / "runs"


def corpora() -> Path:
    """The folder of prepared corpora."""
    return home() / "corpora"


def data() -> Path:
    """The folder of fetched data sets."""
    return home() / "data"


def models() -> Path:
    """The folder of models that come with the program."""
    return assets() / "models"


def assets() -> Path:
    """The folder of presets, corpora and models that come with the program."""
    here = Path(__file__).parent
    packaged = here / "_assets"
    return packaged if packaged.is_dir() else here.parent / "assets"
