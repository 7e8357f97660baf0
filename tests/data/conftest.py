import io
import os
import re
import tarfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

HEADER = "conv_id,utterance_idx,context,prompt,speaker_idx,utterance,selfeval,tags"
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def ed_archive() -> Path:
    """The rebuilt EmpatheticDialogues archive, where a developer has it."""
    path = Path(os.environ.get("BUDDY_ED_ARCHIVE", REPOSITORY.parent / "shared/data/empatheticdialogues.tar.gz"))
    if not path.is_file():
        pytest.skip("the EmpatheticDialogues archive is not here (set BUDDY_ED_ARCHIVE)")
    return path


@pytest.fixture
def make_archive(tmp_path: Path) -> Callable[..., Path]:
    def make(files: Mapping[str, str], name: str = "ed.tar.gz") -> Path:
        path = tmp_path / name
        with tarfile.open(path, "w:gz") as tar:
            for member, text in files.items():
                content = text.encode()
                info = tarfile.TarInfo(member)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
        return path

    return make


def conversation(name: str, emotion: str, situation: str, *turns: str, people: tuple[str, str] = ("1", "0")) -> str:
    """Lines of one conversation in the layout of the archive."""
    situation = situation.replace(",", "_comma_")
    return "\n".join(
        f"{name},{number},{emotion},{situation},{people[(number - 1) % 2]},{turn.replace(',', '_comma_')},,"
        for number, turn in enumerate(turns, start=1)
    )


def csv_file(*conversations: str) -> str:
    return "\n".join([HEADER, *conversations]) + "\n"


@dataclass
class FileServer:
    """A web server on the loopback that serves one file, well or badly."""

    content: bytes
    etag: str = '"one"'
    honours_ranges: bool = True
    break_after: int | None = None
    status: int = 200
    ranges: list[str | None] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., FileServer]]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    servers = []

    def start(content: bytes, **settings: Any) -> FileServer:
        file = FileServer(content, **settings)
        server = QuietServer(("127.0.0.1", 0), type("Serving", (Handler,), {"file": file}))
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)
        file.url = f"http://127.0.0.1:{server.server_port}/archive.tar.gz"
        return file

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


class QuietServer(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in the middle is part of the tests."""


class Handler(BaseHTTPRequestHandler):
    file: FileServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.file.ranges.append(wanted)
        start = self._start(wanted)
        if self.file.status != 200:
            self._head(self.file.status, {"Content-Length": "0"})
        elif start >= len(self.file.content) > 0:
            self._head(416, {"Content-Length": "0", "Content-Range": f"bytes */{len(self.file.content)}"})
        else:
            self._send(start, partial=start > 0)

    def _start(self, wanted: str | None) -> int:
        found = re.fullmatch(r"bytes=(\d+)-", wanted or "")
        same_version = self.headers.get("If-Range", self.file.etag) == self.file.etag
        return int(found[1]) if found and self.file.honours_ranges and same_version else 0

    def _send(self, start: int, partial: bool) -> None:
        body = self.file.content[start:]
        headers = {"Content-Length": str(len(body)), "ETag": self.file.etag}
        if partial:
            headers["Content-Range"] = f"bytes {start}-{len(self.file.content) - 1}/{len(self.file.content)}"
        self._head(206 if partial else 200, headers)
        if self.file.break_after is not None:
            body = body[: self.file.break_after]
            self.close_connection = True
        self.wfile.write(body)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the name is the library's)
        pass
