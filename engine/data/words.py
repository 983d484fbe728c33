"""The words of a corpus of lyrics.

A word is a run of letters that may contain apostrophes after the first letter.
"""

import contextlib
import re
from collections import Counter

from engine.data.codecs import CharacterCodec
from engine.data.corpus import Corpus
from engine.files import write_atomic

RARE = 20_000_000  # characters among which a single occurrence may be a misspelling
FILE = "words.txt"  # in the folders of corpora and of models: a word on each line, sorted
_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|['’])*")


def find_words(text: str) -> list[str]:
    """Return the words of a text, in its order."""
    return _WORD.findall(text)


def training_words(corpus: Corpus) -> list[str]:
    """Return the words of the training songs in lower case, sorted; of a corpus of music none.

    Of a corpus of more than `RARE` characters, words that occur only once in so many are left out.
    The words are kept in the corpus's folder, where the next call finds them.
    """
    if not isinstance(corpus.codec, CharacterCodec):
        return []
    path = corpus.path / FILE
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return path.read_text(encoding="utf-8").split()
    rows = corpus.select("train")
    counts = Counter(word for row in rows for word in find_words(corpus.text(row).lower()))
    least = 1 + int(corpus.meta["splits"]["train"]["frames"]) // RARE
    result = sorted(word for word, count in counts.items() if count >= least)
    with contextlib.suppress(OSError):  # the folder may be read-only
        write_atomic(path, "\n".join(result))
    return result
