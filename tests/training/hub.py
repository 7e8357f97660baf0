"""A small stand-in for the Hugging Face hub: what its client asks for a model's files, on the loopback."""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ALIASES = {"gpt2": "openai-community/gpt2"}  # the real hub redirects the old short names, too


@dataclass
class Hub:
    """Repositories are folders below ``folder``: ``openai-community/gpt2/config.json``."""

    folder: Path
    url: str = ""
    requests: list[str] = field(default_factory=list)


@contextmanager
def serve(folder: Path) -> Iterator[Hub]:
    """Answer like the hub while the block runs."""
    hub = Hub(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Serving", (_Handler,), {"hub": hub}))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield hub
    server.shutdown()
    server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        self.hub.requests.append(f"{self.command} {self.path}")
        found = re.fullmatch(r"/(?:api/models/)?(.+?)(?:/(resolve|tree)/([^/]+)/(.+))?", self.path.split("?")[0])
        name, kind, file = (found[1], found[2], found[4]) if found else ("", None, None)
        repository = self.hub.folder / name
        if name in ALIASES:
            self._reply(307, headers={"Location": self.path.replace(name, ALIASES[name], 1)})
        elif not repository.is_dir():
            self._reply(404, headers={"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"})
        elif kind is None:
            siblings = [{"rfilename": path.name} for path in repository.iterdir()]
            self._reply(200, json.dumps({"id": name, "sha": COMMIT, "private": False, "siblings": siblings}).encode())
        elif kind == "resolve" and (repository / str(file)).is_file():
            content = (repository / str(file)).read_bytes()
            self._reply(200, content, {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Repo-Commit": COMMIT})
        else:
            self._reply(404, headers={"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})

    def _reply(self, status: int, content: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for key, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the name is the library's)
        """Say nothing."""
