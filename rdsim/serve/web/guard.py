"""Who may ask: pages of this server in a browser on this machine, under the name that it told, and nobody else.

A page from elsewhere can make a browser send requests to this machine. It is refused by where it comes from (`Origin`,
`Sec-Fetch-Site`); one that has its own name lead here (DNS rebinding) by the name that it asks for (`Host`).
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["HEADERS", "Guard"]

HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
"""Of every answer: a page loads nothing from elsewhere, and stands in nobody's frame."""

_SAFE = ("GET", "HEAD")
_OURS = ("same-origin", "none")
LARGEST = 1_000_000
"""Bytes of a form."""


class Guard:
    """Lets requests through that this machine's own pages make, and puts `HEADERS` on every answer."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        self._hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
        self._origins = {f"http://{host}" for host in self._hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it with 403 and a reason."""
        if scope["type"] != "http":
            return  # nothing else is spoken here

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message["headers"], *own]
            await send(message)

        why = self.refusal(scope["method"], Headers(scope=scope))
        if why:
            await PlainTextResponse(f"refused: {why}\n", 403)(scope, receive, with_headers)
            return
        await self._app(scope, receive, with_headers)

    def refusal(self, method: str, headers: Headers) -> str:
        """Why a request is refused; empty if it is not."""
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return "this page is for this machine alone, under the address that rdsim printed"
        if any(one not in self._origins or one != f"http://{hosts[0].lower()}" for one in origins):
            return "another page asked"
        if headers.get("sec-fetch-site", "none") not in _OURS and not self._is_link(method, headers):
            return "another page asked"
        if method not in _SAFE and not origins:
            return "what changes something must come from a page of this server"
        if not headers.get("content-length", "0").isdecimal() or int(headers.get("content-length", "0")) > LARGEST:
            return "too much was sent"
        return ""

    def _is_link(self, method: str, headers: Headers) -> bool:
        """Whether a person follows a link to a page here: that shows it to nobody else."""
        return method in _SAFE and headers.get("sec-fetch-mode") == "navigate"
