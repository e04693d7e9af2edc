"""The small HTTP side of a service: /metrics, /health, /ready and, for the board, its pages.

Served from threads of their own: a blocked event loop must show as unhealthy, not as a time-out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment


@dataclass(frozen=True, slots=True)
class Response:
    """What a page answers."""

    body: bytes
    status: str = "200 OK"
    content_type: str = "text/plain; charset=utf-8"


Page = Callable[[], Response]
Below = Callable[[str], Response | None]
"""Answers for the rest of a path, or None where there is nothing."""


CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
"""No page of ours needs more than its own style: should any text of an article ever become HTML, then no
script of it runs, nothing is loaded and nothing is sent."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name is the library's)
        """Keep every scrape out of the log."""


def verdict(problem: Callable[[], str | None]) -> Page:
    """Return a page that says `ok`, or 503 and the problem."""

    def page() -> Response:
        said = problem()
        return (
            Response(b"ok\n") if said is None else Response(f"{said}\n".encode(), "503 Service Unavailable")
        )

    return page


def metrics_page(registry: CollectorRegistry) -> Page:
    """Return the page that Prometheus scrapes."""

    def page() -> Response:
        encode, content_type = choose_encoder("")
        return Response(encode(registry), content_type=content_type)

    return page


def serve(
    host: str, port: int, pages: Mapping[str, Page], below: Mapping[str, Below] | None = None
) -> WSGIServer:
    """Serve from a daemon thread and return the server; port 0 means any free port.

    `pages` answer for their path, what is in `below` for everything that begins with theirs.
    """

    def answer(path: str) -> Response | None:
        if path in pages:
            return pages[path]()
        for start, rest in (below or {}).items():
            if path.startswith(start):
                return rest(path.removeprefix(start))
        return None

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            response = Response(b"Only GET.\n", "405 Method Not Allowed")
        else:
            response = answer(environ.get("PATH_INFO", "/")) or Response(b"Not found.\n", "404 Not Found")
        start_response(
            response.status,
            [
                ("Content-Type", response.content_type),
                ("Content-Length", str(len(response.body))),
                ("X-Content-Type-Options", "nosniff"),
                ("Referrer-Policy", "no-referrer"),
                ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
            ],
        )
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [response.body]

    server = make_server(host, port, application, server_class=_Server, handler_class=_QuietHandler)
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
    return server
