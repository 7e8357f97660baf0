"""A reader never meets half a file, whatever happens to the writer."""

import errno
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from buddy.errors import UserMistake
from buddy.files import atomic_file, atomic_folder, held, recover_folder, whole_folder, write_json


class Crash(BaseException):
    """What stands in for a power cut."""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def order(monkeypatch):
    """Names of what is flushed to the disk, and when a name is given, in order."""
    happened: list[str] = []

    def noting(function: Callable[..., None], note: Callable[..., str]) -> Callable[..., None]:
        def call(*arguments: object) -> None:
            happened.append(note(*arguments))
            function(*arguments)

        return call

    monkeypatch.setattr(os, "fsync", noting(os.fsync, lambda file: Path(f"/proc/self/fd/{file}").readlink().name))
    for name in ("rename", "replace"):
        monkeypatch.setattr(os, name, noting(getattr(os, name), lambda *_: "rename"))
    return happened


class TestFile:
    def test_appears_only_when_it_is_whole(self, tmp_path):
        target = tmp_path / "new" / "scores.txt"
        with atomic_file(target) as file:
            file.write("0.54 ✓")
            file.flush()
            assert not target.exists()
        assert target.read_text("utf-8") == "0.54 ✓"

    def test_takes_bytes(self, tmp_path):
        with atomic_file(tmp_path / "x", "wb") as file:
            file.write(b"\0\xff")
        assert (tmp_path / "x").read_bytes() == b"\0\xff"

    @pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, Crash])
    def test_keeps_its_old_content_when_writing_fails(self, tmp_path, error):
        (tmp_path / "scores.txt").write_text("old")

        def fail() -> None:
            with atomic_file(tmp_path / "scores.txt") as file:
                file.write("half of the n")
                raise error

        with pytest.raises(error):
            fail()
        assert (tmp_path / "scores.txt").read_text() == "old"
        assert names(tmp_path) == ["scores.txt"]

    def test_is_on_the_disk_before_it_gets_its_name(self, tmp_path, order):
        with atomic_file(tmp_path / "x") as file:
            file.write("x")
        assert [name.split(".")[1] if "tmp" in name else name for name in order] == ["x", "rename", tmp_path.name]

    @pytest.mark.parametrize("number", [errno.ENOSPC, errno.EISDIR])
    def test_that_fails_names_itself_and_takes_its_new_folders_away(self, tmp_path, number):
        def fail() -> None:
            with atomic_file(tmp_path / "new" / "below" / "scores.txt") as file:
                file.write("half of the n")
                raise OSError(number, os.strerror(number))

        with pytest.raises(OSError, match=os.strerror(number)) as failure:
            fail()
        assert failure.value.filename == str(tmp_path / "new" / "below" / "scores.txt")
        assert names(tmp_path) == []

    def test_below_a_file_is_refused_by_the_name_of_that_file(self, tmp_path):
        (tmp_path / "notes").write_text("mine")
        with pytest.raises(FileExistsError) as failure, atomic_file(tmp_path / "notes" / "scores.txt"):
            pass
        assert failure.value.filename == str(tmp_path / "notes")

    def test_in_the_place_of_a_folder_is_refused_by_its_own_name(self, tmp_path):
        (tmp_path / "scores.txt").mkdir()
        with pytest.raises(IsADirectoryError) as failure, atomic_file(tmp_path / "scores.txt"):
            pass
        assert (failure.value.filename, failure.value.filename2) == (str(tmp_path / "scores.txt"), None)
        assert names(tmp_path) == ["scores.txt"]


class TestJson:
    def test_is_readable_and_ends_with_a_newline(self, tmp_path):
        write_json(tmp_path / "x.json", {"mood": "müde"})
        assert (tmp_path / "x.json").read_text("utf-8") == '{\n  "mood": "müde"\n}\n'

    def test_refuses_what_is_no_json_and_keeps_the_old(self, tmp_path):
        write_json(tmp_path / "x.json", 1)
        with pytest.raises(ValueError, match="not JSON compliant"):
            write_json(tmp_path / "x.json", float("nan"))
        assert json.loads((tmp_path / "x.json").read_text()) == 1


@pytest.fixture
def old(tmp_path):
    """A folder ``best`` that holds a file ``old`` in a folder below."""
    (tmp_path / "best" / "below").mkdir(parents=True)
    (tmp_path / "best" / "below" / "old").write_text("old")
    return tmp_path / "best"


class TestFolder:
    def test_takes_the_place_of_the_old_one_as_a_whole(self, old):
        with atomic_folder(old) as folder:
            assert names(folder) == []
            (folder / "new").write_text("new")
            assert names(old) == ["below"]
        assert names(old) == ["new"]
        assert names(old.parent) == ["best"]

    def test_keeps_its_old_content_when_writing_fails(self, old):
        def fail() -> None:
            with atomic_folder(old) as folder:
                (folder / "new").write_text("new")
                raise Crash

        with pytest.raises(Crash):
            fail()
        assert names(old) == ["below"]
        assert names(old.parent) == ["best"]

    def test_that_fails_takes_its_new_folders_away_but_no_older_one(self, tmp_path):
        (tmp_path / "runs").mkdir()

        def fail() -> None:
            with atomic_folder(tmp_path / "runs" / "new" / "best") as folder:
                (folder / "x").write_text("x")
                raise Crash

        with pytest.raises(Crash):
            fail()
        assert names(tmp_path) == ["runs"]
        assert names(tmp_path / "runs") == []

    def test_is_on_the_disk_before_it_gets_its_name(self, tmp_path, order):
        with atomic_folder(tmp_path / "best") as folder:
            (folder / "below").mkdir()
            (folder / "below" / "x").write_text("x")
            (folder / "y").write_text("y")
        assert {"x", "y"} <= set(order[: order.index("rename")])
        assert order[-1] == tmp_path.name

    @pytest.mark.parametrize("call", [1, 2], ids=["before-setting-aside", "between-the-renames"])
    def test_a_crash_at_a_rename_loses_nothing(self, old, monkeypatch, call):
        calls = 0
        rename = os.rename

        def crash(source, target):
            nonlocal calls
            calls += 1
            if calls == call:
                raise Crash
            rename(source, target)

        monkeypatch.setattr(os, "rename", crash)
        with pytest.raises(Crash), atomic_folder(old) as folder:
            (folder / "new").write_text("new")
        monkeypatch.undo()
        assert old.exists() == (call == 1)
        recover_folder(old)
        assert (old / "below" / "old").read_text() == "old"
        assert names(old.parent) == ["best"]

    def test_writing_again_after_such_a_crash_recovers_by_itself(self, old):
        old.rename(old.with_name(".best.old"))
        with atomic_folder(old) as folder:
            (folder / "newer").write_text("newer")
        assert names(old) == ["newer"]
        assert names(old.parent) == ["best"]


class TestReading:
    def test_a_folder_that_is_set_aside_is_found_and_nothing_is_changed(self, old):
        aside = old.with_name(".best.old")
        assert whole_folder(old) == old
        old.rename(aside)
        assert whole_folder(old) == aside
        assert whole_folder(old.with_name("last")) == old.with_name("last")
        assert names(old.parent) == [".best.old"]


class TestRecovery:
    def test_removes_an_old_folder_whose_successor_is_there(self, tmp_path):
        (tmp_path / "best").mkdir()
        (tmp_path / ".best.old").mkdir()
        recover_folder(tmp_path / "best")
        assert names(tmp_path) == ["best"]

    def test_removes_what_other_processes_left_half_written_but_not_the_neighbours(self, tmp_path):
        neighbours = ["best", ".last.999999.tmp", ".best.int8.999999.tmp", f".best.{os.getpid()}.tmp"]
        for name in (".best.999999.tmp", *neighbours):
            (tmp_path / name).mkdir()
        recover_folder(tmp_path / "best")
        assert names(tmp_path) == sorted(neighbours)

    def test_of_nothing_is_nothing(self, tmp_path):
        recover_folder(tmp_path / "best")
        assert names(tmp_path) == []
        shutil.rmtree(tmp_path)
        recover_folder(tmp_path / "best")


class TestLock:
    def test_keeps_a_second_one_out_until_the_first_has_ended(self, tmp_path):
        def hold() -> None:
            with held(tmp_path / ".lock"):
                pass

        with held(tmp_path / ".lock"):
            with pytest.raises(UserMistake, match=f"Another process is at work on {tmp_path}; wait until it ends"):
                hold()
            with pytest.raises(UserMistake):
                hold()
        assert names(tmp_path) == []
        hold()

    def test_of_a_killed_process_keeps_nobody_out(self, tmp_path):
        (tmp_path / ".lock").touch()
        with held(tmp_path / ".lock"):
            pass
        assert names(tmp_path) == []

    def test_takes_folders_away_that_it_has_made_for_nothing(self, tmp_path):
        def fail(file: str = "") -> None:
            with held(tmp_path / "runs" / "new" / ".lock"):
                if file:
                    (tmp_path / "runs" / "new" / file).touch()
                raise Crash

        with pytest.raises(Crash):
            fail()
        assert names(tmp_path) == []
        with pytest.raises(Crash):
            fail("config.yaml")
        assert names(tmp_path / "runs" / "new") == ["config.yaml"]

    def test_is_none_where_the_system_knows_none(self, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "fcntl", None)
        with held(tmp_path / ".lock"), held(tmp_path / ".lock"):
            pass
        assert names(tmp_path) == []
