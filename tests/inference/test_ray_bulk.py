"""Files on a Ray cluster of two nodes: what one process gives, also when a worker or a node is lost on the way."""

import contextlib
import csv
import errno
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from buddy.errors import EnvironmentFault, UserMistake
from buddy.inference import ray_bulk
from buddy.inference.bulk import write_answers
from buddy.inference.folder import model_digest
from buddy.inference.parts import cut
from buddy.inference.places import absolute, put_bytes, put_file
from buddy.inference.ray_bulk import PartWorker, RayBulkSettings, classify_on_ray
from tests.conftest import ENDINGS, OPENINGS

TEXTS = [f"{opening} {ending}" for openings in OPENINGS.values() for opening in openings for ending in ENDINGS]
ROWS = 2000
SHARD_ROWS = 40
CLASSIFY = (sys.executable, "-m", "buddy", "classify")
QUICK_TO_NOTICE = {"health_check_period_ms": 500}
"""A node is missed after five of these, and by default each is three seconds."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def cluster():
    """Two nodes, each a raylet of its own with one core."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    made = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 1, "include_dashboard": False, "_system_config": QUICK_TO_NOTICE},
    )
    made.add_node(num_cpus=1)
    made.wait_for_nodes()
    yield made
    made.shutdown()


@pytest.fixture(scope="module")
def diary(tmp_path_factory):
    """Two files of rows, some of them without text, or no rows at all."""
    folder = tmp_path_factory.mktemp("diary")
    for name, first in (("may.csv", 0), ("june.csv", ROWS // 2)):
        with open(folder / name, "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["day", "entry"])
            for day in range(first, first + ROWS // 2):
                writer.writerow([day, "" if day % 199 == 7 else f"{TEXTS[day % len(TEXTS)]}\nDay {day}."])
            file.write("too,many,fields\n")
    return folder


def copy_of(model):
    """Name the copy of a model that the workers of this node share."""
    return Path(tempfile.gettempdir()) / f"buddy-model-{os.getuid()}-{model_digest(model)}"


@pytest.fixture(scope="module", autouse=True)
def no_copy_stays(exported_run):
    yield
    shutil.rmtree(copy_of(exported_run), ignore_errors=True)


def arguments(cluster, exported_run, source, output):
    options = ["--model", exported_run, "--text-column", "entry", "--input", source, "--output", output]
    on_ray = ["--engine", "ray", "--address", cluster.address, "--shard-rows", SHARD_ROWS]
    return [str(one) for one in [*CLASSIFY, *options, *on_ray]]


def rows_in(folder):
    return [row for file in sorted(folder.glob("part-*.csv")) for row in csv.DictReader(file.open(newline=""))]


def workers():
    """Name the processes that classify."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "cmdline").read_bytes().startswith(b"ray::MapWorker"):
                found.append(int(process.name))
    return found


def wait_for_shards(output, count, process):
    deadline = time.monotonic() + 120
    while len(list(output.glob("part-*"))) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Local(NamedTuple):
    """What one process gives: the rows of all files, and what it tells of some of them."""

    rows: list[dict[str, str]]
    told: set[str]


@pytest.fixture(scope="module")
def local(diary, exported_run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("local")
    names, told = ("june.csv", "may.csv"), ""
    for name in names:
        command = [*CLASSIFY, "--model", exported_run, "--text-column", "entry", "--input", name]
        done = subprocess.run(
            [*command, "--output", folder / name], cwd=diary, check=True, capture_output=True, text=True
        )
        told += done.stderr
    rows = [row for name in names for row in csv.DictReader((folder / name).open(newline=""))]
    return Local(rows, problems(told))


def problems(told):
    return {line.rpartition("/")[2] for line in told.splitlines() if line.endswith(("left out.", "no label."))}


def test_the_shards_are_what_one_process_gives_and_the_manifest_tells_of_each(
    cluster, diary, local, exported_run, tmp_path
):
    done = subprocess.run(
        arguments(cluster, exported_run, diary, "moods"), cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert rows_in(tmp_path / "moods") == local.rows
    assert not Path("moods").exists(), "workers run in another folder"
    assert "1,989 labels, 11 rows without text, 2 rows left out as unreadable." in done.stdout
    assert problems(done.stderr) == local.told
    assert len(local.told) == 13
    manifest = json.loads((tmp_path / "moods" / "_manifest.json").read_text())
    assert [Path(shard["source"]).name for shard in manifest["shards"]] == ["june.csv"] * 26 + ["may.csv"] * 26
    assert sum(shard["labelled"] for shard in manifest["shards"]) == 1989
    assert {file.name for file in (tmp_path / "moods").iterdir()} == {
        "_manifest.json",
        *(shard["shard"] for shard in manifest["shards"]),
    }


def test_a_lost_worker_and_a_lost_node_cost_no_row_and_double_none(cluster, diary, local, exported_run, tmp_path):
    node = cluster.add_node(num_cpus=1)
    output = tmp_path / "moods"
    process = subprocess.Popen(
        arguments(cluster, exported_run, diary, output), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_for_shards(output, 3, process)
    os.kill(workers()[0], signal.SIGKILL)
    wait_for_shards(output, 8, process)
    cluster.remove_node(node, allow_graceful=False)
    at_loss = len(list(output.glob("part-*")))
    _, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    assert at_loss < 52, "all was done before the node was lost"
    assert Counter(row["day"] for row in rows_in(output)) == Counter(row["day"] for row in local.rows)
    assert rows_in(output) == local.rows


def test_a_part_that_kills_its_workers_is_given_up_and_told(cluster, diary, exported_run, tmp_path):
    output = tmp_path / "moods"
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen([*arguments(cluster, exported_run, diary, output), "--workers", "1"], **pipes)
    killed = 0
    while process.poll() is None:
        if len(list(output.glob("_work/begun/00000/*"))) > killed:
            for worker in workers():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)
            killed += 1
        time.sleep(0.002)
    _, err = process.communicate()
    assert process.returncode == 1
    assert "5 workers were lost over the same 40 rows of" in err
    assert "june.csv, from byte 11 on." in err
    assert killed == 5


def test_ctrl_c_loses_nothing_and_resume_leaves_finished_shards_alone(cluster, diary, local, exported_run, tmp_path):
    output = tmp_path / "moods"
    command = [*arguments(cluster, exported_run, diary, output), "--shard-rows", "10"]
    listen = functools.partial(signal.signal, signal.SIGINT, signal.default_int_handler)  # also in the background
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, preexec_fn=listen, **pipes)  # noqa: PLW1509
    wait_for_shards(output, 5, process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=100)
    assert process.returncode == 130
    assert "Nothing is lost: the same command with --resume goes on." in err
    reported = {file.stem for file in (output / "_work").glob("part-*.json")}
    before = {file.name: file.stat().st_mtime_ns for file in output.glob("part-*") if file.stem in reported}
    assert 5 <= len(before) + 2 < 202

    again = subprocess.run(command, check=False, capture_output=True, text=True)
    assert again.returncode == 2
    assert "is of a run that was interrupted; --resume goes on with it" in again.stderr
    subprocess.run([*command, "--resume"], check=True, capture_output=True)
    assert rows_in(output) == local.rows
    assert {name: (output / name).stat().st_mtime_ns for name in before} == before
    again = subprocess.run([*command, "--resume"], check=False, capture_output=True, text=True)
    assert (again.returncode, "is complete already" in again.stderr) == (2, True)


def test_what_fails_on_a_worker_is_told_in_one_sentence(cluster, diary, exported_run, tmp_path):
    copy = copy_of(exported_run)
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    command = arguments(cluster, exported_run, diary, tmp_path / "moods")
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    shutil.rmtree(copy)
    assert done.returncode == 1
    *_, last = done.stderr.splitlines()
    assert last.startswith(f"buddy: {copy} on ")
    assert last.endswith("is no copy of the model; remove it. What is done is kept, and --resume goes on.")
    assert "Traceback" not in done.stderr


def test_a_column_that_is_not_there_is_told_before_anything_is_written(cluster, diary, exported_run, tmp_path):
    command = [*arguments(cluster, exported_run, diary, tmp_path / "moods"), "--text-column", "diary"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert "june.csv has no column 'diary'; it has 'day', 'entry'." in done.stderr
    assert not (tmp_path / "moods").exists()


@pytest.mark.parametrize(
    "spelled", ["{here}", "{here}/", "{here}/../{here.name}", "file://{here}", "memory://{here}", "memory://{here}/"]
)
def test_what_a_run_put_is_not_taken_for_a_source_however_the_place_is_spelled(exported_run, tmp_path, spelled):
    folder = spelled.format(here=tmp_path)
    put_bytes(b"entry,label\nI am sad,sad\n", f"{absolute(folder)}/moods/part-00000.csv")
    for output in (f"{absolute(folder)}/moods", f"{folder.rstrip('/')}/moods/"):
        with pytest.raises(UserMistake, match=r"nothing at .* but what lies in"):
            classify_on_ray(exported_run, RayBulkSettings(folder, output, "entry"))


class TestARun:
    """The whole of it, with this process for a cluster."""

    @pytest.fixture(autouse=True)
    def cluster_of_one(self, monkeypatch):
        def from_items(tasks, override_num_blocks):
            assert override_num_blocks == len(tasks)

            def classify(worker, fn_constructor_args, **_):
                made = worker(*fn_constructor_args)
                return SimpleNamespace(iter_rows=lambda: (made(task) for task in tasks))

            return SimpleNamespace(map=classify)

        data = SimpleNamespace(
            DataContext=SimpleNamespace(get_current=SimpleNamespace),
            ActorPoolStrategy=lambda size: size,
            from_items=from_items,
        )
        ray = SimpleNamespace(
            data=data,
            remote=lambda function: SimpleNamespace(remote=function),
            get=lambda one: one,
            cluster_resources=dict,
        )
        monkeypatch.setattr(ray_bulk, "joined_cluster", lambda *_: contextlib.nullcontext(ray))

    @pytest.fixture
    def classify(self, exported_run, tmp_path):
        def classify(**more):
            settings = {"text_column": "entry", "shard_rows": 2, **more}
            return classify_on_ray(
                exported_run, RayBulkSettings(str(tmp_path / "diary.csv"), str(tmp_path / "moods"), **settings)
            )

        (tmp_path / "diary.csv").write_text("entry\nI am sad\nno, row\nWe won\nI won\nI lost\n")
        return classify

    @pytest.fixture
    def interrupted(self, classify, monkeypatch, tmp_path):
        """A run of three parts, of which two are done, the first with a row that cannot be read."""

        def fail(file, place):
            if "part-00002" in place:
                raise OSError(errno.ENOSPC, "No space left on device")
            put_file(file, place)

        with monkeypatch.context() as full:
            full.setattr(ray_bulk, "put_file", fail)
            with pytest.raises(
                EnvironmentFault, match=r"diary.csv cannot be classified on .*: No space left on device"
            ):
                classify()
        return tmp_path / "moods"

    def test_leaves_nothing_of_workers_that_were_killed(self, interrupted, classify):
        (interrupted / ".part-00002.csv.4711.tmp").write_text("entry,lab")
        assert classify(resume=True).labelled == 4
        assert {file.name for file in interrupted.iterdir()} == {
            "_manifest.json",
            *(f"part-0000{number}.csv" for number in range(3)),
        }

    def test_does_a_part_again_whose_report_is_half_a_one(self, interrupted, classify):
        report = interrupted / "_work" / "part-00001.json"
        report.write_bytes(report.read_bytes()[:20])
        shard = interrupted / "part-00001.csv"
        before = shard.read_text()
        shard.write_text("half a sh")
        assert classify(resume=True).labelled == 4
        assert shard.read_text() == before

    @pytest.mark.usefixtures("interrupted")
    def test_that_is_strict_now_ends_at_a_row_that_was_passed_over(self, classify):
        with pytest.raises(UserMistake, match=r"diary.csv, line 3: it has 2 fields.*Without --strict"):
            classify(resume=True, strict=True)
        assert classify(resume=True).unreadable == 1

    def test_goes_on_with_parts_of_the_size_that_they_have(self, interrupted, classify):
        with pytest.raises(UserMistake, match=r"moods was begun with --shard-rows 2, and goes on with that"):
            classify(resume=True, shard_rows=3)
        classify(resume=True, shard_rows=None)
        assert len(list(interrupted.glob("part-*"))) == 3

    @pytest.mark.parametrize("change", ["grown", "written again"])
    def test_of_a_file_that_changes_meanwhile_has_no_manifest(self, classify, monkeypatch, tmp_path, change):
        source = tmp_path / "diary.csv"
        content = source.read_text()

        def happen(*arguments):
            write_answers(*arguments)
            source.write_text(content + "I am glad\n" if change == "grown" else content.replace("sad", "mad"))
            os.utime(source, (0, 0))

        monkeypatch.setattr(ray_bulk, "write_answers", happen)
        with pytest.raises(UserMistake, match=r"diary.csv was changed while it was read; remove .*moods, and classify"):
            classify()
        assert not (tmp_path / "moods" / "_manifest.json").exists()

    def test_names_a_file_without_a_header_by_its_own_name(self, classify, tmp_path):
        (tmp_path / "diary.csv").write_text("\n\n")
        with pytest.raises(UserMistake, match=f"^{tmp_path}/diary.csv has no header"):
            classify()


class TestAWorker:
    """One part, without a cluster."""

    @pytest.fixture
    def worker(self, exported_run, tmp_path, monkeypatch):
        """Make a worker of a node with a folder of its own for what is temporary."""
        (tmp_path / "node").mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "node"))
        shutil.copytree(exported_run, tmp_path / "moods" / "_work" / "model")

        def worker(source="", **more):
            settings = RayBulkSettings(str(source), str(tmp_path / "moods"), "entry", **more)
            return PartWorker(settings, ["label", "probability"], model_digest(exported_run))

        return worker

    @pytest.fixture
    def work_on(self, worker):
        """Classify the whole of a file as one part."""

        def work_on(source, **more):
            answer = worker(source, **more)({"number": 0, "part": asdict(cut(str(source), 2000)[0])})
            return json.loads(answer["report"])

        return work_on

    def test_tells_of_a_row_that_strict_work_ends_at(self, work_on, diary):
        assert "may.csv, line " in work_on(diary / "may.csv", strict=True)["mistake"]

    def test_tells_of_a_line_of_json_that_has_a_new_column_already(self, work_on, tmp_path):
        (tmp_path / "diary.jsonl").write_text('{"entry": "I am sad"}\n\n{"entry": "We won", "label": "mine"}\n')
        assert "diary.jsonl, line 3, has a column 'label' already" in work_on(tmp_path / "diary.jsonl")["mistake"]

    def test_keeps_the_types_of_parquet(self, work_on, tmp_path):
        texts = [TEXTS[i % len(TEXTS)] for i in range(100)]
        pq.write_table(pa.table({"day": pa.array(range(100), pa.int16()), "entry": texts}), tmp_path / "diary.parquet")
        report = work_on(tmp_path / "diary.parquet")
        assert (report["shard"], report["labelled"], report["first_row"]) == ("part-00000.parquet", 100, 0)
        found = pq.read_table(tmp_path / "moods")
        assert found.column("day").to_pylist() == list(range(100))
        assert found.schema.field("day").type == pa.int16()
        assert found.column_names == ["day", "entry", "label", "probability"]

    def test_shares_a_copy_of_the_model_with_those_of_its_node_and_those_before_it(self, work_on, diary, tmp_path):
        for _ in range(2):
            assert "problems" in work_on(diary / "may.csv")
        (copy,) = (tmp_path / "node").iterdir()
        assert copy == copy_of(tmp_path / "moods" / "_work" / "model")
        assert copy.stat().st_mode & 0o777 == 0o700

    @pytest.mark.parametrize("harm", ["damaged", "another user's"])
    def test_trusts_no_copy_that_is_no_longer_one(self, work_on, diary, tmp_path, harm):
        work_on(diary / "may.csv")
        (copy,) = (tmp_path / "node").iterdir()
        if harm == "damaged":
            (copy / "model.bin").write_bytes(b"")
        else:
            if os.getuid():
                pytest.skip("only root can give it away")
            os.chown(copy, 65534, 65534)
        report = work_on(diary / "may.csv")
        assert report["fault"].startswith(f"{copy} on ")

    def test_tells_of_a_model_that_cannot_be_loaded(self, work_on, diary, monkeypatch):
        def refuse(_):
            raise UserMistake("The model needs PyTorch.")

        monkeypatch.setattr(ray_bulk, "load_classifier", refuse)
        assert work_on(diary / "may.csv") == {"mistake": "The model needs PyTorch."}

    @pytest.mark.parametrize("step", ["take", "write_answers"])
    def test_tells_of_a_full_disk_and_what_to_do(self, work_on, diary, monkeypatch, step):
        def fail(*_):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(ray_bulk, step, fail)
        report = work_on(diary / "may.csv")
        assert "may.csv cannot be classified on" in report["fault"]
        assert report["fault"].endswith(
            ": No space left on device; free some space and try again. What is done is kept, and --resume goes on."
        )
        assert "Traceback" in report["trace"]

    def test_tells_of_a_report_that_cannot_be_put(self, work_on, diary, monkeypatch):
        def fail(content, place):
            if place.endswith(".json"):
                raise UserMistake(f"{place} cannot be used.")
            put_bytes(content, place)

        monkeypatch.setattr(ray_bulk, "put_bytes", fail)
        assert "part-00000.json cannot be used." in work_on(diary / "may.csv")["mistake"]
