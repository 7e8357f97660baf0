import contextlib
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from buddy.data.parquet import read_parquet, read_schema
from buddy.errors import UserMistake


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.parquet"
    words = [f"{n} words" for n in range(200)]
    pq.write_table(pa.table({"text": words, "label": words[::-1], "turns": [[word] for word in words]}), path)
    return path


def test_what_was_written_is_read(file):
    assert read_parquet(file, "write it again").num_rows == 200
    assert read_schema(file, "write it again").names == ["text", "label", "turns"]


@pytest.mark.parametrize("seed", range(60))
def test_damage_anywhere_is_a_mistake_if_anything(file, seed):
    draw = random.Random(seed)
    content = bytearray(file.read_bytes())
    start = draw.randrange(len(content))
    content[start : start + 30] = draw.randbytes(30)
    file.write_bytes(content)
    with contextlib.suppress(UserMistake):  # damage that changes nothing is none
        read_parquet(file, "write it again")


@pytest.mark.parametrize("content", [b"", b"text,label\n", b"PAR1", b"PAR1\0\0\0\0PAR1"])
def test_other_files_are_refused(file, content):
    file.write_bytes(content)
    for read in (read_parquet, read_schema):
        with pytest.raises(UserMistake, match="is damaged or not a Parquet file; write it again"):
            read(file, "write it again")


def test_text_that_is_not_utf_8_is_damage(file):
    offsets, letters = pa.array([0, 2], pa.int32()).buffers()[1], pa.py_buffer(b"\xff\xfe")
    pq.write_table(pa.table({"text": pa.Array.from_buffers(pa.string(), 1, [None, offsets, letters])}), file)
    with pytest.raises(UserMistake, match="is damaged"):
        read_parquet(file, "write it again")


def test_what_the_machine_does_wrong_stays_an_oserror(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_parquet(tmp_path / "none.parquet", "write it again")
    with pytest.raises(IsADirectoryError):
        read_schema(tmp_path, "write it again")
