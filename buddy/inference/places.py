"""Files here and in the cloud under one set of functions: a place is a path, or a URL such as ``s3://diaries/2026``.

What a place's scheme means is fsspec's business; each scheme needs its own package (``s3fs``, ``gcsfs``, ``adlfs``).
"""

import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO, Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from buddy.errors import UserMistake, explain
from buddy.files import atomic_file

MAGIC = frozenset("*?[")


def absolute(place: str) -> str:
    """Give a place that means the same to every process on every node, in the one spelling that ``files_at`` has.

    Example:
        >>> absolute("s3://moods/2026"), absolute("/data/../moods"), absolute("file:///moods/")
        ('s3://moods/2026', '/moods', '/moods')
    """
    with suppress(Exception):  # who uses the place is told what is wrong with it
        files, path = _open_system(place)
        if isinstance(files, LocalFileSystem):
            return os.path.abspath(path)  # noqa: PTH100  (resolve() would follow links)
        spelled = str(files.unstrip_protocol(path))
        if _open_system(spelled) == (files, path):  # else the place has more than a path: a host, an account
            return spelled
    return place.rstrip("/")


def files_at(place: str, endings: tuple[str, ...]) -> list[str]:
    """Name the files of a place, sorted: of a folder all below it, of a pattern (``diaries/2026-*.csv``) what fits it.

    Args:
        place: a file, a folder or a pattern.
        endings: files of a folder with another one are passed over, as are hidden ones.

    Raises:
        UserMistake: there is none, or the place cannot be reached.
    """
    with _told_plainly(place):
        files, path = _open_system(place)
        if MAGIC & set(path) and not files.exists(path):
            found = [name for name in files.glob(path) if files.isfile(name)]
        elif files.isdir(path):
            below = len(PurePosixPath(path).parts)
            found = [
                name
                for name in files.find(path)
                if name.lower().endswith(endings) and not _is_hidden(PurePosixPath(name).parts[below:])
            ]
        else:
            found = [path] if files.exists(path) else []
    if not found:
        raise UserMistake(f"There is no file at {place}; known are those that end in {', '.join(endings)}.")
    is_local = isinstance(files, LocalFileSystem)
    return sorted(found if is_local else (files.unstrip_protocol(name) for name in found))


@contextmanager
def open_place(place: str, start: int = 0) -> Iterator[IO[bytes]]:
    """Open a file to read it, from a byte on.

    Raises:
        UserMistake: it cannot be reached.
    """
    with _told_plainly(place):
        files, path = _open_system(place)
        stream = files.open(path, "rb")
    with stream:
        stream.seek(start)
        yield stream


def version_of(place: str) -> dict[str, Any]:
    """Tell what changes when a file does: its size, and whatever else its system knows of that now.

    A list, such as ``files_at`` asks for and a store remembers, may be old, and may tell times in another way.
    """
    with _told_plainly(place):
        files, path = _open_system(place)
        files.invalidate_cache()
        about = files.info(path)
    known = {name: str(about[name]) for name in ("mtime", "ETag", "etag", "LastModified", "updated") if name in about}
    return {"place": place, "bytes": about["size"], **known}


def put_file(file: Path, place: str) -> None:
    """Put a copy of a file at a place; on a local disk and in a store of objects it appears there whole or not at all.

    A store does that by itself, and on a disk a rename does. Other systems (``hdfs``, ``sftp``, ``smb``) write under
    the final name, and a writer that is killed leaves half a file there.
    """
    with _told_plainly(place):
        files, path = _open_system(place)
        if isinstance(files, LocalFileSystem):
            with open(file, "rb") as source, atomic_file(Path(path), "wb") as out:
                shutil.copyfileobj(source, out)
        else:
            files.put_file(os.fspath(file), path)


def put_bytes(content: bytes, place: str) -> None:
    """Write a small file; see ``put_file``."""
    with _told_plainly(place):
        files, path = _open_system(place)
        if isinstance(files, LocalFileSystem):
            with atomic_file(Path(path), "wb") as out:
                shutil.copyfileobj(io.BytesIO(content), out)
        else:
            files.pipe_file(path, content)


def read_place(place: str) -> bytes | None:
    """Read a small file; ``None`` if it is not there."""
    with _told_plainly(place):
        files, path = _open_system(place)
        return bytes(files.cat_file(path)) if files.exists(path) else None


def names_at(place: str) -> set[str]:
    """Name what stands in a folder; nothing if it is not there."""
    with _told_plainly(place):
        files, path = _open_system(place)
        files.invalidate_cache()
        return {PurePosixPath(name).name for name in files.ls(path, detail=False)} if files.isdir(path) else set()


def remove_place(place: str) -> None:
    """Remove a file, or a folder with everything in it, if it is there."""
    with _told_plainly(place):
        files, path = _open_system(place)
        files.invalidate_cache()
        if files.exists(path):
            files.rm(path, recursive=True)


def _open_system(place: str) -> tuple[Any, str]:
    files, path = fsspec.url_to_fs(place)
    return files, path


def _is_hidden(parts: tuple[str, ...]) -> bool:
    """Tell whether a file or a folder around it is hidden, in the way of all that read folders of data."""
    return any(part.startswith((".", "_")) for part in parts)


@contextmanager
def _told_plainly(place: str) -> Iterator[None]:
    """Turn what the packages of the clouds raise, each its own errors, into one sentence."""
    try:
        yield
    except OSError as error:
        raise UserMistake(f"{place} cannot be used: {explain(error)}.") from error
    except Exception as error:  # there is no class that all of them share
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise UserMistake(f"{place} cannot be reached: {reason}.") from error
