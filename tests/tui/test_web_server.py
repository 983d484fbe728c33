"""`rnn-tui web` as browsers see it: a page, a socket for each tab, and refusals."""

import asyncio
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("textual_serve")
aiohttp = pytest.importorskip("aiohttp")

from tui import cli  # noqa: E402


@pytest.fixture
def address(home: Path) -> Iterator[str]:
    """The address of a server of the app."""
    command = [sys.executable, "-P", "-m", "tui.cli", "web", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            found = re.search(r"http://localhost:\d+/[\w-]{20,}/", server.stdout.readline())
            assert found
            yield found[0]
        finally:
            server.terminate()


async def test_a_page_and_sockets_of_its_own_origin_only(address: str) -> None:
    origin, _, token = address.rstrip("/").rpartition("/")
    host = origin.partition("//")[2]
    async with aiohttp.ClientSession() as session:

        async def status(url: str, **headers: str) -> int:
            async with session.get(url, headers=headers) as response:
                return int(response.status)

        # The page requests nothing from elsewhere, and its own files only with the token.
        async with session.get(address) as response:
            page = await response.text()
            policy = response.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert not re.findall(r"https?://", page)
        files = re.findall(r'(?:src|href)="(static/[^"]+)"', page) + re.findall(
            r'url\("(.*?)"', page
        )
        assert len(files) == 3
        for file in files:
            assert await status(address + file) == 200
            assert await status(f"{origin}/{file}") == 404
        assert await status(address + "static/../server.py") == 404
        assert await status(address + "static/%2e%2e/server.py") == 404
        assert await status(f"{origin}/guess/") == 404

        # Another name (DNS rebinding), another page's socket, and one without an origin.
        assert await status(address, Host="evil.example") == 403
        assert await status(address, Origin="http://evil.example") == 403
        for headers in (
            {"Origin": "http://evil.example"},
            {"Origin": "null"},
            {"Origin": origin, "Host": "evil.example"},
            {},
        ):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(address + "ws", headers=headers)
            assert refused.value.status == 403

        # Two tabs, each with an app of its own.
        own = {"Origin": origin}
        async with (
            session.ws_connect(f"{address}ws?width=80&height=24", headers=own) as one,
            session.ws_connect(f"{address}ws?width=40&height=12", headers=own) as two,
        ):
            # Both are read all the time, since a reader answers the server's pings.
            received: dict[object, list[Any]] = {one: [], two: []}

            async def read(tab: Any) -> None:
                async for message in tab:
                    received[tab].append(message.data)

            readers = [asyncio.create_task(read(tab)) for tab in (one, two)]
            for tab in (one, two):
                while b"No runs yet" not in b"".join(received[tab]):
                    await asyncio.sleep(0.05)
            await one.send_json(["stdin", "q"])
            await readers[0]
            await two.send_json(["ping", 7])
            while '["pong", 7]' not in received[two]:
                await asyncio.sleep(0.05)
            readers[1].cancel()
        assert token not in page.replace(f"ws://{host}/{token}/ws", "")


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.main(["web", *arguments]) == 2
    return capsys.readouterr().err.rstrip()


def test_ports_and_hosts_that_cannot_be_used(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert refusal(capsys, "--port", str(port)) == (
            f"rnn-tui: Cannot listen on localhost, port {port} (Address already in use): choose "
            "another port, for example --port 8001."
        )
    assert "from 0 to 65535, not 70000" in refusal(capsys, "--port", "70000")
    words = refusal(capsys, "--host", "no such host")
    assert "There is no address 'no such host': use --host localhost" in words
