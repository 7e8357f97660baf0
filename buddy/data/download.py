"""Fetching one large file over HTTP so that a broken connection costs only what had not arrived.

What has arrived stands in ``NAME.part`` until it is whole and its checksum right; then it is renamed. The
server's version mark (its ETag) stands beside it, so that two versions of a file are never glued together.
"""

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING

from buddy.errors import EnvironmentFault, UserMistake, explain
from buddy.progress import progress

if TYPE_CHECKING:
    import httpx

ATTEMPTS = 3
PAUSE_SECONDS = 2.0
TIMEOUT_SECONDS = 30.0
BLOCK_BYTES = 2**20

PARTIAL_CONTENT = 206
RANGE_NOT_SATISFIABLE = 416


@dataclass(frozen=True)
class RemoteFile:
    """A file on a server, and how to know that it is the right one.

    Args:
        url: http or https.
        size: in bytes; None when nobody knows.
        sha256: 64 hexadecimal digits; None when nobody knows.
    """

    url: str
    size: int | None = None
    sha256: str | None = None


class _StartOverError(Exception):
    """What is in the part file cannot be continued."""


def download(remote: RemoteFile, target: Path, pause_seconds: float = PAUSE_SECONDS) -> Path:
    """Fetch a file, going on from where an earlier try broke off, and check it.

    A file that is already there and has the right checksum is not fetched again.

    Args:
        remote: what to fetch.
        target: where it shall stand; ``NAME.part`` beside it holds what has arrived so far.
        pause_seconds: wait after the first broken connection; doubled each time.

    Returns:
        ``target``.

    Raises:
        EnvironmentFault: no connection, or it broke too often (the part file is kept), or what arrived
            is not the expected file (the part file is removed).
        UserMistake: the address is none, or the server says that there is no such file.
    """
    if remote.sha256 and target.is_file() and sha256_of(target) == remote.sha256:
        return target
    print(f"Fetching {remote.url} to {target}.", file=sys.stderr)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    _fetch_persistently(remote, part, pause_seconds)
    _verify(remote, part)
    part.replace(target)
    _version_file(part).unlink(missing_ok=True)
    return target


def sha256_of(file: Path) -> str:
    """Tell a file's SHA-256 without reading it into memory at once."""
    digest = hashlib.sha256()
    with open(file, "rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _fetch_persistently(remote: RemoteFile, part: Path, pause_seconds: float) -> None:
    problem = None
    for attempt in range(ATTEMPTS):
        if attempt > 0:
            print(f"The connection failed ({problem}); trying again.", file=sys.stderr)
            sleep(pause_seconds * 2 ** (attempt - 1))
        problem = _try_to_fetch(remote, part)
        if problem is None:
            return
    arrived = _size_of(part)
    kept = f" {arrived:,} bytes are kept in {part}; the next try goes on from there." if arrived else ""
    raise EnvironmentFault(
        f"Could not fetch {remote.url} ({problem}).{kept} Try again, or give a copy of the file with --archive."
    )


def _try_to_fetch(remote: RemoteFile, part: Path) -> str | None:
    """Fetch what is missing; tell what went wrong if trying again may help, None when all has arrived."""
    import httpx

    try:
        with httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=True) as client:
            _fetch_rest(client, remote, part)
    except (httpx.UnsupportedProtocol, httpx.InvalidURL, UnicodeError) as error:  # the last: "https://x..y"
        raise UserMistake(f"{remote.url!r} is not an http or https address; give another one with --url.") from error
    except _StartOverError:
        part.unlink(missing_ok=True)
        return "what arrived earlier cannot be continued"
    except httpx.HTTPError as error:
        return str(error) or type(error).__name__
    except OSError as error:  # the disk is full, or the folder may not be written
        raise EnvironmentFault(f"{part} could not be written: {explain(error)}.") from error
    return None


def _fetch_rest(client: "httpx.Client", remote: RemoteFile, part: Path) -> None:
    have = _size_of(part)
    if remote.size is not None and have > remote.size:
        raise _StartOverError
    if have and have == remote.size:
        return
    with client.stream("GET", remote.url, headers=_request_headers(remote, part)) as response:
        if response.status_code == RANGE_NOT_SATISFIABLE:
            _accept_if_whole(response, have)
        elif response.is_error:
            raise _refused(remote, response)
        else:
            _save(response, remote, part)


def _request_headers(remote: RemoteFile, part: Path) -> dict[str, str]:
    """Ask for the rest only where something tells that it belongs to the same file: a version mark or a checksum."""
    headers = {"Accept-Encoding": "identity"}  # sizes and ranges are those of the file itself
    have, version = _size_of(part), _known_version(part)
    if have and (version or remote.sha256):
        headers["Range"] = f"bytes={have}-"
        if version:
            headers["If-Range"] = version
    return headers


def _save(response: "httpx.Response", remote: RemoteFile, part: Path) -> None:
    have = 0  # a server that ignores ranges, or has a new version, sends the file from its beginning
    if response.status_code == PARTIAL_CONTENT:
        have = _size_of(part)
        if not response.headers.get("content-range", "").startswith(f"bytes {have}-"):
            raise _StartOverError
    _version_file(part).write_text(_version(response), encoding="utf-8")
    total = remote.size or _announced_size(response, have)
    with open(part, "ab" if have else "wb") as file, progress("downloading", total, "B", done=have) as bar:
        for block in response.iter_raw():  # as it arrives: with a block size, what is not yet a block would be lost
            file.write(block)
            have += len(block)
            bar.advance(len(block))
            if remote.size is not None and have > remote.size:
                return  # more than there should be: the check that follows says so


def _announced_size(response: "httpx.Response", have: int) -> int | None:
    length = response.headers.get("content-length", "")
    return have + int(length) if length.isdecimal() else None


def _accept_if_whole(response: "httpx.Response", have: int) -> None:
    """Nothing can be sent from here on: either all of it has arrived, or the file on the server is another."""
    if response.headers.get("content-range") != f"bytes */{have}":
        raise _StartOverError


def _refused(remote: RemoteFile, response: "httpx.Response") -> Exception:
    answer = f"{remote.url} answered {response.status_code} {response.reason_phrase}"
    if response.is_client_error:
        return UserMistake(f"{answer}; give another --url, or a copy of the file with --archive.")
    return EnvironmentFault(f"{answer}; try again later, or give a copy of the file with --archive.")


def _verify(remote: RemoteFile, part: Path) -> None:
    size = _size_of(part)
    if remote.size is not None and size != remote.size:
        problem = f"{size:,} bytes where {remote.size:,} are expected"
    elif remote.sha256 is not None and sha256_of(part) != remote.sha256:
        problem = f"the SHA-256 is not {remote.sha256[:12]}…"
    else:
        return
    part.unlink(missing_ok=True)
    _version_file(part).unlink(missing_ok=True)
    raise EnvironmentFault(
        f"What {remote.url} sent is not the expected file ({problem}); it was removed. "
        "Try again, or give a copy of the file with --archive."
    )


def _version(response: "httpx.Response") -> str:
    """The mark that If-Range needs: a strong ETag, else the date; a weak ETag may not be used for ranges."""
    etag = str(response.headers.get("etag", ""))
    return etag if etag and not etag.startswith("W/") else str(response.headers.get("last-modified", ""))


def _version_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.version")


def _known_version(part: Path) -> str:
    file = _version_file(part)
    return file.read_text("utf-8") if file.is_file() else ""


def _size_of(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0
