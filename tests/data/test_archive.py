import bz2
import contextlib
import gzip
import io
import random
import tarfile
from pathlib import Path

import pytest

from buddy.data import archive as archive_module
from buddy.data.archive import read_members
from buddy.errors import UserMistake

WANTED = {"train.csv", "valid.csv"}


def test_wanted_files_are_read_from_any_folder(make_archive):
    path = make_archive({"ed/train.csv": "one", "valid.csv": "two", "ed/readme": "three"})
    assert read_members(path, WANTED) == {"train.csv": b"one", "valid.csv": b"two"}


def test_absent_files_are_simply_not_there(make_archive):
    assert read_members(make_archive({"train.csv": "one"}), WANTED) == {"train.csv": b"one"}


def test_other_compressions(make_archive, tmp_path):
    plain = gzip.decompress(make_archive({"train.csv": "one"}).read_bytes())
    (tmp_path / "plain.tar").write_bytes(plain)
    (tmp_path / "other.tar.bz2").write_bytes(bz2.compress(plain))
    for name in ("plain.tar", "other.tar.bz2"):
        assert read_members(tmp_path / name, WANTED) == {"train.csv": b"one"}


@pytest.mark.parametrize(
    "name", ["../train.csv", "a/../../train.csv", "/etc/train.csv", "C:\\train.csv", "..\\x", "a/.."]
)
def test_names_that_lead_outside_are_refused(make_archive, name):
    path = make_archive({"train.csv": "fine", name: "evil"})
    with pytest.raises(UserMistake, match="points outside"):
        read_members(path, WANTED)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(tmp_path, kind):
    path = tmp_path / "evil.tar"
    with tarfile.open(path, "w") as tar:
        info = tarfile.TarInfo("train.csv")
        info.type, info.linkname = kind, "/etc/passwd"
        tar.addfile(info)
    with pytest.raises(UserMistake, match="a link or a device"):
        read_members(path, WANTED)


def test_nothing_is_written_anywhere(make_archive, tmp_path, monkeypatch):
    path = make_archive({"train.csv": "one"})
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.rglob("*"))
    read_members(path, WANTED)
    assert set(tmp_path.rglob("*")) == before


def test_every_cut_is_noticed(make_archive):
    path = make_archive({"train.csv": "".join(map(str, range(3_000))), "valid.csv": "two"})
    whole = path.read_bytes()
    for length in (1, 10, 500, len(whole) // 2, len(whole) - 9, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(UserMistake, match=r"cut short|not a tar|damaged"):
            read_members(path, WANTED)


def test_damage_inside_is_noticed(make_archive):
    path = make_archive({"train.csv": "".join(map(str, range(3_000)))})
    content = bytearray(path.read_bytes())
    content[-8] ^= 0xFF  # the checksum at the end of the gzip stream
    path.write_bytes(content)
    with pytest.raises(UserMistake, match="damaged"):
        read_members(path, WANTED)


def test_member_cut_in_a_plain_tar_is_noticed(make_archive, tmp_path):
    plain = gzip.decompress(make_archive({"train.csv": "x" * 5_000}).read_bytes())
    path = tmp_path / "plain.tar"
    path.write_bytes(plain[:3_000])
    with pytest.raises(UserMistake, match=r"cut short|damaged"):
        read_members(path, WANTED)


@pytest.mark.parametrize("content", [b"", b"text,label\nhello,sad\n", b"\x1f\x8b but no gzip"])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "not.tar.gz"
    path.write_bytes(content)
    with pytest.raises(UserMistake, match=r"not a tar archive|damaged"):
        read_members(path, WANTED)


def test_folder_is_refused(tmp_path):
    with pytest.raises(UserMistake, match="is a folder"):
        read_members(tmp_path, WANTED)


def test_missing_file_stays_an_oserror(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_members(tmp_path / "none.tar", WANTED)


def test_name_twice_is_refused(make_archive):
    with pytest.raises(UserMistake, match="more than once"):
        read_members(make_archive({"a/train.csv": "one", "b/train.csv": "two"}), WANTED)


def test_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(archive_module, "MAX_UNPACKED_BYTES", 1_000_000)
    path = tmp_path / "bomb.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        info = tarfile.TarInfo("zeros")
        info.size = 2_000_000
        tar.addfile(info, io.BytesIO(bytes(info.size)))
    with pytest.raises(UserMistake, match="unpacks to more than"):
        read_members(path, WANTED)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_bomb_in_a_header_is_refused(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(archive_module, "MAX_UNPACKED_BYTES", 1_000_000)
    path = tmp_path / "bomb.tar.gz"
    path.write_bytes(gzip.compress(header("train.csv", 2_000_000, kind) + bytes(2_000_000)))
    with pytest.raises(UserMistake, match="unpacks to more than"):
        read_members(path, WANTED)


def test_bomb_behind_the_end_is_refused(make_archive, monkeypatch):
    monkeypatch.setattr(archive_module, "MAX_UNPACKED_BYTES", 1_000_000)
    path = make_archive({"train.csv": "one"})
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()) + bytes(2_000_000)))
    with pytest.raises(UserMistake, match="unpacks to more than"):
        read_members(path, WANTED)


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_size_below_zero_is_refused(tmp_path, kind):
    path = tmp_path / "loop.tar"
    path.write_bytes(header("train.csv", -512, kind) + bytes(1024))
    with pytest.raises(UserMistake, match=r"damaged|size of its entry"):
        read_members(path, WANTED)


def test_sparse_file_which_needs_no_content_to_be_large_is_refused(tmp_path):
    path = tmp_path / "sparse.tar"
    block = bytearray(header("train.csv", 0, tarfile.GNUTYPE_SPARSE))
    block[483:495] = b"77777777777\0"
    path.write_bytes(with_checksum(block) + bytes(1024))
    with pytest.raises(UserMistake, match=r"size of its entry 'train\.csv'"):
        read_members(path, WANTED)


@pytest.mark.parametrize("seed", range(60))
def test_damage_anywhere_in_a_plain_tar_is_one_sentence(make_archive, tmp_path, seed):
    draw = random.Random(seed)
    content = bytearray(gzip.decompress(make_archive({"a/train.csv": "one", "é" * 90: "two"}).read_bytes())[:5_000])
    for _ in range(3):
        content[draw.randrange(len(content))] = draw.randrange(256)
    path = tmp_path / "plain.tar"
    path.write_bytes(content)
    with contextlib.suppress(UserMistake):
        read_members(path, WANTED)


def header(name: str, size: int, kind: bytes) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)


def with_checksum(block: bytearray) -> bytes:
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def test_real_archive(ed_archive: Path):
    members = read_members(ed_archive, WANTED)
    assert {name: len(content) for name, content in members.items()} == {
        "train.csv": 16_291_323,
        "valid.csv": 2_490_989,
    }
