"""Reading Parquet files that somebody else may have made, or a disk may have damaged."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from buddy.errors import UserMistake

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq


def read_parquet(path: Path, advice: str) -> "pa.Table":
    """Read a whole file and check every value in it.

    The check matters: the library takes a file's word for what it holds, and text that is not UTF-8 would come to
    light only where it is first looked at, far from here.

    Args:
        path: the file.
        advice: what to do about a damaged one; ends the sentence.

    Raises:
        UserMistake: it is no Parquet file, or a damaged one.
        OSError: it is not there, or the disk fails.
    """
    with open_parquet(path, advice) as file:
        table = file.read()
        table.validate(full=True)
        return table


def read_schema(path: Path, advice: str) -> "pa.Schema":
    """Read the names and types of a file's columns; see ``read_parquet``."""
    with open_parquet(path, advice) as file:
        return file.schema_arrow


@contextmanager
def open_parquet(path: Path, advice: str) -> Iterator["pq.ParquetFile"]:
    """Open a file to read parts of it; whatever is damaged in them ends the block as for ``read_parquet``."""
    with open(path, "rb") as file, parquet_of(file, str(path), advice) as table:
        yield table


@contextmanager
def parquet_of(file: IO[bytes], name: str, advice: str) -> Iterator["pq.ParquetFile"]:
    """Read parts of a file that is open already; see ``open_parquet``."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        yield pq.ParquetFile(file, pre_buffer=False)  # else all that was read stays in memory while the file is open
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # damage has no number, a failing disk has
            raise
        raise UserMistake(f"{name} is damaged or not a Parquet file; {advice}.") from error
