"""Writing so that a reader never meets half a file, whatever happens to the writer.

Both helpers write beside the destination, flush to the disk, and rename: a rename within one
folder either happened or did not. ``held`` keeps a second writer away.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from buddy.errors import UserMistake


@contextmanager
def atomic_file(path: Path, mode: str = "w", private: bool = False) -> Iterator[IO[Any]]:
    """Open a file that appears under its name only when the block ends without an error.

    Args:
        path: where the file shall stand; its folder is created. An older file is replaced.
        mode: ``"w"`` for UTF-8 text, ``"wb"`` for bytes.
        private: nobody but its owner may read it.

    Example:
        >>> import tempfile
        >>> target = Path(tempfile.mkdtemp()) / "scores.txt"
        >>> with atomic_file(target) as file:
        ...     _ = file.write("0.54")
        >>> target.read_text()
        '0.54'
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with _parent_of(path):
        try:
            with open(temporary, mode, encoding=None if "b" in mode else "utf-8") as file:
                if private:
                    temporary.chmod(0o600)
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        _flush_folder(path.parent)


def write_json(path: Path, value: object, private: bool = False) -> None:
    """Write a value as indented, readable JSON, atomically; ``private``: nobody but its owner may read it."""
    with atomic_file(path, private=private) as file:
        json.dump(value, file, indent=2, ensure_ascii=False, allow_nan=False)
        file.write("\n")


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder that takes the place of ``path`` when the block ends without an error.

    A non-empty folder cannot be replaced in one step, so there is a moment in which the old one stands under
    ``.NAME.old``. There ``whole_folder`` finds it, and whoever writes next puts that right (``recover_folder``).
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    with _parent_of(path):
        try:
            temporary.mkdir()
            yield temporary
            for file in temporary.rglob("*"):
                _flush_file(file)
            recover_folder(path)
            if path.exists():
                path.rename(_set_aside(path))
            temporary.rename(path)
            _flush_folder(path.parent)
            shutil.rmtree(_set_aside(path), ignore_errors=True)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def whole_folder(path: Path) -> Path:
    """Give where a folder stands that ``atomic_folder`` writes, perhaps just now: at its place, or set aside.

    Example:
        >>> import tempfile
        >>> run = Path(tempfile.mkdtemp())
        >>> (run / ".best.old").mkdir()
        >>> whole_folder(run / "best").name
        '.best.old'
    """
    aside = _set_aside(path)
    return path if path.exists() or not aside.exists() else aside


def recover_folder(path: Path) -> None:
    """Undo what a crash in the middle of ``atomic_folder`` left: restore the old folder or remove it.

    Only for one who writes there: what another process is writing just now would be taken away from it.
    """
    aside = _set_aside(path)
    if aside.exists() and not path.exists():
        aside.rename(path)
    elif aside.exists():
        shutil.rmtree(aside)
    for leftover in path.parent.glob(".*.tmp"):
        of = re.fullmatch(rf"\.{re.escape(path.name)}\.(\d+)\.tmp", leftover.name)
        if of and int(of[1]) != os.getpid() and leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a lock file while the block runs, so that no second process works in its folder; it is gone afterwards.

    A process that is killed leaves the file, but not the lock. Where the system or the disk knows no locks, nothing
    is locked.

    Raises:
        UserMistake: another process holds it; both would write the same files.
    """
    with _folders_above(path), open(path, "a") as file:
        if _is_taken(file):
            raise UserMistake(f"Another process is at work on {path.parent}; wait until it ends, or stop it.")
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _is_taken(file: IO[str]) -> bool:
    """Lock a file until it is closed, unless another process has done so."""
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except (ImportError, OSError):
        return False
    return False


@contextmanager
def _parent_of(path: Path) -> Iterator[None]:
    """Create the folders above a path; when writing fails, remove them again and name the path, not its stand-in."""
    with _folders_above(path):
        try:
            yield
        except OSError as error:
            if f".{path.name}." in str(error.filename or f".{path.name}."):
                error.filename, error.filename2 = str(path), None
            raise


@contextmanager
def _folders_above(path: Path) -> Iterator[None]:
    """Create the folders above a path; when the block fails, remove those again that are still empty."""
    missing = [folder for folder in path.parents if not folder.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for folder in missing:
            with suppress(OSError):
                folder.rmdir()
        raise


def _set_aside(path: Path) -> Path:
    return path.with_name(f".{path.name}.old")


def _flush_file(path: Path) -> None:
    if path.is_file():
        with open(path, "rb") as file:
            os.fsync(file.fileno())


def _flush_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
