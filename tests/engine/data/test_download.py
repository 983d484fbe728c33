"""Downloads from a server on this machine."""

import hashlib
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine import paths
from engine.data import datasets
from engine.data.datasets import Dataset
from engine.data.download import download_dataset
from engine.errors import InputError, WorkError

CONTENT = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
Make = Callable[..., Dataset]


class Server(BaseHTTPRequestHandler):
    requests: list[str]
    stop: threading.Event  # ends the requests that are never answered

    def do_GET(self) -> None:
        self.requests.append(self.path)
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/good")
            self.end_headers()
            return
        if self.path == "/missing":
            self.send_error(404)
            return
        if self.path == "/silent":
            self.stop.wait(60)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        half = self.path in ("/broken", "/stuck")
        self.wfile.write(CONTENT[: len(CONTENT) // 2] if half else CONTENT)
        if self.path == "/stuck":
            self.wfile.flush()
            self.stop.wait(60)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    Server.requests, Server.stop = [], threading.Event()
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        Server.stop.set()
        running.shutdown()
        thread.join()


@pytest.fixture
def make(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "*")
    Server.requests.clear()

    def made(page: str, sha256: str | None = SHA256, address: str = "") -> Dataset:
        url = address or f"{server}/{page}"
        return Dataset(
            "tunes", "music", "", "", "tunes/tunes.mat", url, size=len(CONTENT), sha256=sha256
        )

    return made


def left() -> list[str]:
    """Return the names of all files in the data folder except the lock."""
    return sorted(x.name for x in paths.data().rglob("*") if x.name != ".tunes.lock")


@pytest.mark.parametrize("page", ["good", "moved"])
def test_a_verified_file_is_kept_and_not_downloaded_again(make: Make, page: str) -> None:
    progress: list[tuple[int, int]] = []
    got = download_dataset(make(page), lambda *done: progress.append(done))
    assert (got.downloaded, got.verified, got.sha256) == (True, True, SHA256)
    assert got.path.read_bytes() == CONTENT
    assert got.path.stat().st_mode & 0o777 == 0o644
    assert left() == ["tunes", "tunes.mat"]
    assert progress[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in progress] == sorted(done for done, _ in progress)
    requests = len(Server.requests)
    again = download_dataset(make(page))
    assert (again.path, again.downloaded, again.verified) == (got.path, False, True)
    assert len(Server.requests) == requests


def test_a_file_without_a_known_checksum_is_kept_with_its_own(make: Make) -> None:
    got = download_dataset(make("good", sha256=None))
    assert (got.verified, got.sha256, got.downloaded) == (False, SHA256, True)
    assert download_dataset(make("good", sha256=None)).downloaded is False


def test_a_damaged_file_is_downloaded_again(make: Make) -> None:
    file = download_dataset(make("good")).path
    file.write_bytes(b"damaged")
    assert download_dataset(make("good")).downloaded
    assert file.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("good", "checksum mismatch .expected sha256 000"),
        ("missing", "the server answers 404 Not Found"),
        ("broken", "the connection broke off"),
        ("silent", r"no data from the server for 0\.3 s; .* --timeout"),
        ("stuck", "no data|broke off|cannot reach"),
    ],
)
def test_a_failed_download_leaves_nothing(make: Make, page: str, message: str) -> None:
    wrong = "0" * 64 if page == "good" else None
    with pytest.raises(WorkError, match=f"Cannot download 'tunes' from http.*{message}"):
        download_dataset(make(page, wrong), timeout=0.3)
    assert left() == []


def test_without_a_network(make: Make) -> None:
    with pytest.raises(WorkError, match="cannot reach the server; check your connection"):
        download_dataset(make("", address="http://127.0.0.1:9/tunes.mat"))
    assert left() == []


def test_files_of_a_killed_download_are_removed(make: Make) -> None:
    stale = paths.data() / ".tunes.abc"
    stale.mkdir(parents=True)
    (stale / "half").write_bytes(b"half")
    download_dataset(make("good"))
    assert left() == ["tunes", "tunes.mat"]


def test_a_folder_that_cannot_be_written_is_an_error(make: Make, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(InputError, match=r"Cannot write .*data .*make it writable"):
        download_dataset(make("good"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: object, url: str, output_file: str, *_: object) -> None:
        with Path("/dev/full").open("wb", buffering=0) as file:
            file.write(CONTENT)

    monkeypatch.setattr("pooch.HTTPDownloader.__call__", full)
    with pytest.raises(InputError, match=r"No space left .* RNN_TUI_HOME"):
        download_dataset(make("good"))
    assert left() == []


def test_a_file_from_kaggle(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(handle: str, *, output_dir: str) -> str:
        assert handle == "owner/set"
        (Path(output_dir) / "in").mkdir()
        (Path(output_dir) / "in/tunes.mat").write_bytes(CONTENT)
        return output_dir

    monkeypatch.setitem(sys.modules, "kagglehub", SimpleNamespace(dataset_download=download))
    got = download_dataset(make("", None, "kaggle:owner/set"))
    assert got.path.read_bytes() == CONTENT
    assert (got.verified, got.sha256) == (False, SHA256)
    assert left() == ["tunes", "tunes.mat"]


def test_an_error_of_kaggle_is_one_sentence(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(handle: str, *, output_dir: str) -> str:
        raise RuntimeError("no\nsuch set.")

    monkeypatch.setitem(sys.modules, "kagglehub", SimpleNamespace(dataset_download=refuse))
    with pytest.raises(WorkError, match=r"kaggle\.com/datasets/owner/set: no such set; check"):
        download_dataset(make("", None, "kaggle:owner/set"))
    monkeypatch.setitem(sys.modules, "kagglehub", None)  # as if it were not installed
    with pytest.raises(WorkError, match=r"run .* '\.\[kaggle\]', or put its .* at .*tunes\.mat"):
        download_dataset(make("", None, "kaggle:owner/set"))
    assert left() == []


def test_a_data_set_works_by_name_once_downloaded(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    tunes = make("good")
    monkeypatch.setitem(datasets.DATASETS, "tunes", tunes)
    with pytest.raises(InputError, match="not downloaded yet: run 'rnn-tui data fetch tunes'"):
        datasets.resolve("tunes", "music")
    download_dataset(tunes)
    assert datasets.resolve("tunes", "music") == tunes.file
    assert datasets.guess_kind("tunes") == "music"


def test_an_included_data_set_needs_no_download() -> None:
    got = download_dataset(datasets.get_dataset("pieces"))
    assert (got.downloaded, got.sha256) == (False, None)
    assert got.path.is_dir()


def test_the_checksums_are_those_of_the_published_files() -> None:
    shared = Path(__file__).parents[4] / "shared/data"
    found = 0
    for name in ("jsb-chorales", "nottingham"):
        item = datasets.get_dataset(name)
        file = shared / "polymusic" / Path(item.path).name
        if file.is_file():
            found += 1
            assert file.stat().st_size == item.size
            assert hashlib.sha256(file.read_bytes()).hexdigest() == item.sha256
    if not found:
        pytest.skip("the published files are not on this machine")
