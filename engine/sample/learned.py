"""The songs that a model has learned from, found again."""

import json

from engine import config as configs
from engine import paths
from engine.data import corpus as corpora
from engine.data.corpus import Corpus
from engine.errors import InputError
from engine.sample.models import Model


def corpus(model: Model) -> Corpus:
    """The prepared corpus of a model's songs, prepared anew from their source where it is gone.

    Raises InputError where that is gone too, or is no longer what the model has learned from.
    """
    wanted = model.meta.get("corpus", {}).get("hash")
    for path in sorted(paths.corpora().glob("*/meta.json")):
        try:
            if json.loads(path.read_text(encoding="utf-8"))["hash"] == wanted:
                return Corpus.open(path.parent)
        except (OSError, ValueError, KeyError, TypeError, InputError):
            continue
    own = configs.from_mapping({"data": model.meta.get("data", {})}, "meta.json").data
    if not own.source:
        raise InputError(
            f"{model.name} does not say what it learned from: train it anew, or choose another."
        )
    found = corpora.prepare(own, kind=model.meta["kind"])
    if found.hash != wanted:
        raise InputError(
            f"The songs of {found.name} have changed since {model.name} learned from them: give "
            f"{own.source} back as it was, or train anew."
        )
    return found
