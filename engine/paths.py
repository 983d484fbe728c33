"""Paths of the user's folders (runs, corpora, data) and of the assets that are included."""

import os
from pathlib import Path

import platformdirs

from engine.errors import InputError

HOME_VARIABLE = "RNN_TUI_HOME"


def home() -> Path:
    """Return the folder for data and runs: `$RNN_TUI_HOME`, or the platform's user data folder.

    Raises InputError if the variable names the home folder of a user who does not exist.
    """
    chosen = os.environ.get(HOME_VARIABLE)
    if not chosen:
        return platformdirs.user_data_path("rnn-tui", appauthor=False)
    try:
        return Path(chosen).expanduser()
    except RuntimeError as error:
        raise InputError(
            f"{HOME_VARIABLE} is {chosen!r}, and there is no such home folder: use a full path."
        ) from error


def settings() -> Path:
    """Return the file of the app's settings, in the platform's config folder or in `home()`."""
    if os.environ.get(HOME_VARIABLE):
        return home() / "settings.toml"
    return platformdirs.user_config_path("rnn-tui", appauthor=False) / "settings.toml"


def history() -> Path:
    """Return the database of the songs that the app has written."""
    return home() / "history.sqlite"


def runs() -> Path:
    """Return the folder of run directories."""
    return home() / "runs"


def corpora() -> Path:
    """Return the folder of prepared corpora, in the platform's cache folder or in `home()`."""
    if os.environ.get(HOME_VARIABLE):
        return home() / "corpora"
    return platformdirs.user_cache_path("rnn-tui", appauthor=False) / "corpora"


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
