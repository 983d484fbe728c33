"""The server of `rnn-tui web`: a page with a terminal; each tab has an app of its own.

Whoever can type into the app can read and write the user's files, so no other page may drive it:
the address has a random token, the server listens on this machine by default, and it
refuses requests whose Host is another name (DNS rebinding) and sockets whose Origin is another page
(browsers let any page open a socket to any server). The page loads nothing from elsewhere.
"""

import asyncio
import html
import ipaddress
import os
import secrets
import shlex
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import textual_serve
from aiohttp import web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from engine.errors import InputError

LOOPBACK = ("localhost", "127.0.0.1", "::1")
_STATIC = Path(textual_serve.__file__).parent / "static"
_SHUTDOWN = 2.0  # seconds for the apps to end
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>rnn-tui</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="static/css/xterm.css">
<script src="static/js/textual.js"></script>
<style>
@font-face {{ font-family: "Roboto Mono";
  src: url("static/fonts/RobotoMono-VariableFont_wght.ttf"); }}
body {{ background: #121212; color: #e0e0e0; font: 16px monospace; }}
.textual-terminal {{ opacity: 0; }}
body.-first-byte .textual-terminal {{ opacity: 1; }}
body.-first-byte .starting, .ended {{ display: none; }}
body.-closed .ended {{ display: block; position: fixed; inset: 0; padding: 2em;
  background: #121212; }}
.ended a {{ color: inherit; }}
</style>
</head>
<body>
<p class="starting">rnn-tui is starting …</p>
<p class="ended">rnn-tui has ended. <a href="">Start it again</a></p>
<div id="terminal" class="textual-terminal" data-session-websocket-url="{socket}"
 data-font-size="{font_size}"></div>
</body>
</html>
"""
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; connect-src {socket}; img-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; font-src 'self' data:; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",  # the address has the token
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raises InputError where the address cannot be used."""
    if not 0 <= port <= 65535:
        raise InputError(f"--port must be a whole number from 0 to 65535, not {port}.")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as error:
        raise InputError(
            f"There is no address {host!r}: use --host localhost, or an address of this machine."
        ) from error
    family, _, _, _, address = min(found, key=lambda each: each[0] != socket.AF_INET)
    try:
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        raise InputError(
            f"Cannot listen on {host}, port {port} ({os.strerror(error.errno or 0)}): choose "
            "another port, for example --port 8001."
        ) from error


class WebServer:
    """Serves the app at `address`. command: starts the app. listening: from `listen`."""

    def __init__(self, command: tuple[str, ...], host: str, listening: socket.socket) -> None:
        self._command = shlex.join(command)
        self._listening = listening
        self._downloads = DownloadManager()
        self._token = secrets.token_urlsafe(16)
        port = listening.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        self.address = f"http://{shown}:{port}/{self._token}/"
        names = {*LOOPBACK, host} if host in LOOPBACK else {host}
        # Listening on all addresses, the server cannot know its names: the token alone protects it.
        self._hosts = (
            None
            if _is_every_address(host)
            else {f"[{name}]:{port}" if ":" in name else f"{name}:{port}" for name in names}
        )

    def serve(self) -> None:
        """Serve until ctrl-c."""
        # access_log=None: it would print the token.
        web.run_app(
            self.application(),
            sock=self._listening,
            print=None,
            access_log=None,
            shutdown_timeout=_SHUTDOWN,
        )

    def application(self) -> web.Application:
        """Return the web application; all its paths begin with the token."""
        app = web.Application()
        base = f"/{self._token}"
        app.router.add_get(f"{base}/", self._checked(self._page))
        app.router.add_get(f"{base}/ws", self._checked(self._socket))
        app.router.add_get(f"{base}/download/{{key}}", self._checked(self._download))
        app.router.add_get(f"{base}/static/{{path:.*}}", self._checked(self._static))
        return app

    def _checked(self, handler: Handler) -> Handler:
        """Return a handler that refuses requests for another host and from another page."""

        async def checked(request: web.Request) -> web.StreamResponse:
            host, origin = request.headers.get("Host", ""), request.headers.get("Origin")
            is_ours = self._hosts is None or host in self._hosts
            if origin is None:
                is_ours = is_ours and handler != self._socket  # a browser names it for a socket
            else:
                is_ours = is_ours and origin.partition("://")[2] == host
            if not is_ours:
                raise web.HTTPForbidden(text="Open the address that rnn-tui web has printed.\n")
            return await handler(request)

        return checked

    async def _page(self, request: web.Request) -> web.StreamResponse:
        scheme = "wss" if request.headers.get("Origin", "").startswith("https") else "ws"
        address = f"{scheme}://{request.headers['Host']}/{self._token}/ws"
        text = _PAGE.format(socket=html.escape(address), font_size=_size(request, "fontsize", 16))
        headers = {name: value.format(socket=address) for name, value in _HEADERS.items()}
        return web.Response(text=text, content_type="text/html", headers=headers)

    async def _static(self, request: web.Request) -> web.StreamResponse:
        path = (_STATIC / request.match_info["path"]).resolve()
        if not path.is_relative_to(_STATIC.resolve()) or not path.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(path)

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        """Run an app for a tab, from its connection to its end."""
        connection = web.WebSocketResponse(heartbeat=30)
        await connection.prepare(request)

        async def close() -> None:
            await connection.close()

        app = AppService(
            self._command,
            write_bytes=connection.send_bytes,
            write_str=connection.send_str,
            close=close,
            download_manager=self._downloads,
        )
        await app.start(_size(request, "width", 80), _size(request, "height", 24))
        try:
            async for message in connection:
                if message.type == web.WSMsgType.TEXT:
                    await _pass_on(message.json(), app, connection)
        finally:
            await asyncio.shield(app.stop())
        return connection

    async def _download(self, request: web.Request) -> web.StreamResponse:
        """Send a file that the app offers."""
        key = request.match_info["key"]
        try:
            about = await self._downloads.get_download_metadata(key)
        except KeyError:
            raise web.HTTPNotFound from None
        response = web.StreamResponse()
        response.content_type = about.mime_type
        response.headers["Content-Disposition"] = f"attachment; filename={about.file_name!r}"
        await response.prepare(request)
        async for chunk in self._downloads.download(key):
            await response.write(chunk)
        await response.write_eof()
        return response


async def _pass_on(message: Any, app: AppService, connection: web.WebSocketResponse) -> None:
    """Pass a message of the page on to the app; ignore what is not one."""
    match message:
        case ["stdin", str(text)]:
            await app.send_bytes(text.encode(errors="replace"))
        case ["resize", {"width": int(width), "height": int(height)}]:
            await app.set_terminal_size(width, height)
        case ["ping", data]:
            await connection.send_json(["pong", data])
        case ["blur", *_]:
            await app.blur()
        case ["focus", *_]:
            await app.focus()


def _size(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, "")
    return min(max(int(text), 1), 1000) if text.isdecimal() and text.isascii() else default


def _is_every_address(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return not host
