"""The same functions for files here and in the cloud; fsspec's store in memory stands for a cloud."""

import itertools

import fsspec
import pytest

from buddy.errors import UserMistake
from buddy.inference.places import (
    absolute,
    files_at,
    names_at,
    open_place,
    put_bytes,
    put_file,
    read_place,
    remove_place,
    version_of,
)

numbers = itertools.count()


@pytest.fixture(
    params=["{here}/folder", "{here}/folder/", "file://{here}/folder", "memory://{number}", "memory://{number}/moods/"]
)
def folder(request, tmp_path):
    """A folder as a user may spell it, in the one way that all places are spelled."""
    return absolute(request.param.format(here=tmp_path, number=next(numbers)))


def test_what_was_put_is_there_until_it_is_removed(folder, tmp_path):
    (tmp_path / "file").write_bytes(b"0123456789")
    put_file(tmp_path / "file", f"{folder}/one/a.csv")
    put_bytes(b"small", f"{folder}/one/b.json")
    assert names_at(f"{folder}/one") == {"a.csv", "b.json"}
    assert read_place(f"{folder}/one/b.json") == b"small"
    with open_place(f"{folder}/one/a.csv", start=7) as file:
        assert file.read() == b"789"
    remove_place(f"{folder}/one")
    assert names_at(f"{folder}/one") == set()
    assert read_place(f"{folder}/one/b.json") is None


def test_a_file_a_folder_and_a_pattern_name_files(folder):
    for name in ("b.csv", "a.CSV", "more/c.csv", "notes.txt", "_work/d.csv", ".hidden.csv"):
        put_bytes(b"day\n", f"{folder}/{name}")

    def found(place):
        return files_at(place, (".csv",))

    assert found(folder) == [f"{folder}/a.CSV", f"{folder}/b.csv", f"{folder}/more/c.csv"]
    assert found(f"{folder}/b.csv") == [f"{folder}/b.csv"]
    assert found(f"{folder}/[ab].*") == [f"{folder}/a.CSV", f"{folder}/b.csv"]
    with pytest.raises(UserMistake, match="There is no file at"):
        files_at(f"{folder}/june-*.csv", (".csv",))


def test_a_file_that_has_changed_has_another_version(folder):
    put_bytes(b"one", f"{folder}/a.csv")
    first = version_of(f"{folder}/a.csv")
    assert version_of(f"{folder}/a.csv") == first
    put_bytes(b"three", f"{folder}/a.csv")
    assert version_of(f"{folder}/a.csv") != first


def test_a_version_is_asked_for_anew(monkeypatch):
    """A store remembers what it has listed."""
    put_bytes(b"one", "memory://moods/a.csv")
    forgotten = []
    monkeypatch.setattr(
        fsspec.get_filesystem_class("memory"), "invalidate_cache", lambda *_: forgotten.append(1), raising=False
    )
    version_of("memory://moods/a.csv")
    assert forgotten


@pytest.mark.parametrize(
    ("spelled", "place"),
    [
        ("memory://moods/2026/", "memory:///moods/2026"),
        ("file:///data/../moods/", "/moods"),
        ("nowhere://moods/2026/", "nowhere://moods/2026"),
        ("simplecache::memory://moods/", "simplecache::memory://moods"),  # its path alone would be another place
    ],
)
def test_a_place_has_one_spelling(spelled, place):
    assert absolute(spelled) == place == absolute(place)


def test_a_scheme_that_nobody_knows_is_the_users_mistake():
    with pytest.raises(UserMistake, match="cannot be reached: Protocol not known: nowhere"):
        read_place("nowhere://a/b")


def test_a_store_that_breaks_is_told_in_one_sentence(monkeypatch):
    put_bytes(b"x", "memory://broken/a.csv")

    def fail(*_, **__):
        raise RuntimeError("no credentials found.\nlong story")

    monkeypatch.setattr(fsspec.get_filesystem_class("memory"), "cat_file", fail)
    with pytest.raises(UserMistake, match=r"^memory://broken/a.csv cannot be reached: no credentials found.$"):
        read_place("memory://broken/a.csv")
