"""Taking a few files out of a tar archive that a stranger may have made.

Nothing is unpacked: the wanted members are read into memory, so a hostile name has nowhere to lead. An archive
that contains one is still refused as a whole, because whoever packed it so meant harm or made a mistake.
"""

import bz2
import gzip
import io
import lzma
import tarfile
import zlib
from collections.abc import Collection
from pathlib import Path, PurePosixPath, PureWindowsPath

from buddy.errors import UserMistake

MAX_UNPACKED_BYTES = 2**28
"""The whole archive, unpacked. ED has 60 MB; what gives more than this is a decompression bomb."""

BLOCK_BYTES = 2**20


def read_members(archive: Path, wanted: Collection[str]) -> dict[str, bytes]:
    """Read the members with the wanted file names, in whatever folder of the archive they are.

    Args:
        archive: a tar file, plain or compressed with gzip, bzip2 or xz.
        wanted: file names without folders, such as ``{"train.csv"}``.

    Returns:
        The content of those that are there, by file name.

    Raises:
        UserMistake: it is no tar archive, it is cut short or damaged, or it holds a link, a device, an absolute
            path, a ``..``, one wanted name twice, or an unreasonable amount of data.
    """
    if archive.is_dir():
        raise UserMistake(f"{archive} is a folder; --archive takes a tar file.")
    try:
        with _unpack(archive) as stream, tarfile.open(fileobj=_Bounded(stream, archive), mode="r:") as tar:
            return _read_all(tar, archive, wanted)
    except (tarfile.TarError, ValueError, OverflowError) as error:  # the last two: damaged numbers in its headers
        raise UserMistake(f"{archive} is not a tar archive, or a damaged one.") from error
    except (EOFError, zlib.error, lzma.LZMAError) as error:
        raise _cut_short(archive) from error
    except OSError as error:
        if error.errno is None:  # a checksum inside the compressed stream; real disk errors have a number
            raise _cut_short(archive) from error
        raise


def _unpack(archive: Path) -> io.BufferedIOBase:
    """Open a file for what is in it; its first bytes tell how it was compressed, if it was."""
    with open(archive, "rb") as file:
        start = file.read(5)
    if start.startswith(b"\x1f\x8b"):
        return gzip.open(archive)
    if start.startswith(b"BZh"):
        return bz2.open(archive)
    return lzma.open(archive) if start == b"\xfd7zXZ" else open(archive, "rb")


class _Bounded(io.RawIOBase):
    """A stream that ends the reading where no honest archive would go on.

    It stands below tarfile, whose own headers can ask for gigabytes, too, or send it back to where it was.
    """

    def __init__(self, stream: io.BufferedIOBase, archive: Path) -> None:
        self._stream, self._archive = stream, archive

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            raise _cut_short(self._archive)
        self._check(self._stream.tell() + size)
        return self._stream.read(size)

    def seek(self, position: int, whence: int = io.SEEK_SET) -> int:
        self._check(position)
        return self._stream.seek(position, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def _check(self, position: int) -> None:
        if position > MAX_UNPACKED_BYTES:
            raise UserMistake(
                f"{self._archive} unpacks to more than {MAX_UNPACKED_BYTES // 2**20:,} MiB; that is no data set of "
                "this kind."
            )


def _read_all(tar: tarfile.TarFile, archive: Path, wanted: Collection[str]) -> dict[str, bytes]:
    contents: dict[str, bytes] = {}
    for member in tar:
        _refuse_unsafe(member, archive)
        name = PurePosixPath(member.name).name
        if member.isfile() and name in wanted:
            if name in contents:
                raise UserMistake(f"{archive} holds {name} more than once; which one is meant is not clear.")
            contents[name] = _content(tar, member, archive)
    _read_to_end(tar)
    return contents


def _refuse_unsafe(member: tarfile.TarInfo, archive: Path) -> None:
    path, windows = PurePosixPath(member.name), PureWindowsPath(member.name)
    if path.is_absolute() or windows.anchor or ".." in path.parts or ".." in windows.parts:
        raise UserMistake(f"{archive} is refused: its entry {member.name!r} points outside of the archive.")
    if not (member.isfile() or member.isdir()):
        raise UserMistake(f"{archive} is refused: its entry {member.name!r} is a link or a device, not a file.")
    if member.issparse() or member.size < 0:
        raise UserMistake(f"{archive} is refused: the size of its entry {member.name!r} is not that of its content.")


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo, archive: Path) -> bytes:
    file = tar.extractfile(member)
    content = b"" if file is None else file.read()
    if len(content) != member.size:
        raise _cut_short(archive)
    return content


def _read_to_end(tar: tarfile.TarFile) -> None:
    """Reach the checksum at the very end of the compressed stream; tarfile stops before it."""
    while tar.fileobj is not None and tar.fileobj.read(BLOCK_BYTES):
        pass


def _cut_short(archive: Path) -> UserMistake:
    return UserMistake(f"{archive} is cut short or damaged; fetch it again.")
