"""The words of a corpus of lyrics.

A word is a run of letters that may contain apostrophes after the first letter. In scripts that are
written without blanks between words, such as Chinese, a run is a whole phrase and often a line:
their characters are not letters here, since a song of known phrases would be a copy. Characters
are put into lower case one by one, so that the beginning of a word in lower case is the same as
the word's beginning put into lower case. (For a whole text Python's rule differs: the Greek Σ at
the end of a word becomes ς.)
"""

import contextlib
import re
from collections import Counter

from engine.data.codecs import CharacterCodec
from engine.data.corpus import Corpus
from engine.files import write_atomic

RARE = 20_000_000  # characters among which a single occurrence may be a misspelling
FILE = "words.txt"  # in the folders of corpora and of models: a word on each line, sorted
APOSTROPHES = "'’"
# Thai and Lao, Burmese, Khmer, kana, Chinese characters
_WITHOUT_BLANKS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_LETTER = rf"[^\W\d_{_WITHOUT_BLANKS}]"
_is_letter = re.compile(_LETTER).fullmatch
_WORD = re.compile(f"{_LETTER}(?:{_LETTER}|[{APOSTROPHES}])*")


def is_letter(character: str) -> bool:
    """Return whether a word can begin with a character."""
    return character.isalpha() if character.isascii() else _is_letter(character) is not None


def find_words(text: str) -> list[str]:
    """Return the words of a text, in its order and spelling."""
    return _WORD.findall(text)


def lower(word: str) -> str:
    """Return a word, or a part of one, in lower case and as long as before: of İ the i only."""
    return word.lower() if word.isascii() else "".join(letter.lower()[0] for letter in word)


def training_words(corpus: Corpus) -> list[str]:
    """Return the words of the training songs in lower case, sorted; of a corpus of music none.

    Of a corpus of N times `RARE` characters, words that occur N times or less are left out.
    The words are kept in the corpus's folder, where the next call finds them.
    """
    if not isinstance(corpus.codec, CharacterCodec):
        return []
    path = corpus.path / FILE
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return path.read_text(encoding="utf-8").split()
    rows = corpus.select("train")
    spellings = Counter(word for row in rows for word in find_words(corpus.text(row)))
    counts: Counter[str] = Counter()
    for spelling, count in spellings.items():
        counts[lower(spelling)] += count
    least = 1 + int(corpus.meta["splits"]["train"]["frames"]) // RARE
    result = sorted(word for word, count in counts.items() if count >= least)
    with contextlib.suppress(OSError):  # the folder may be read-only
        write_atomic(path, "\n".join(result))
    return result
