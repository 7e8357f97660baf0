import hashlib
import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from buddy.data.download import RemoteFile
from buddy.data.normalise import comparison_key
from buddy.data.prepare import PrepareSettings, default_folder, divide, prepare
from buddy.data.prepared import read_prepared
from buddy.data.source import UNSPLIT, Source, Tally
from buddy.errors import EnvironmentFault, UserMistake
from buddy.records import Dialogue, Example
from tests.data.conftest import conversation, csv_file

TRAIN = csv_file(
    conversation("hit:1", "sad", "I lost my dog in the big park", "My dog is gone.", "Oh no."),
    conversation("hit:2", "joyful", "We won, at last", "We won!", "Great.", people=("11", "42")),
    conversation("hit:3", "sad", "Nobody came to my party", "I was alone.", "Sorry."),
    conversation("hit:4", "sad", "I lost my dog in the big park", "Again.", "Oh."),
)
VALID = csv_file(conversation("hit:5", "sad", "I lost my dog in the big park!", "Gone.", "Oh.", "Yes."))
TEST = csv_file(conversation("hit:6", "joyful", "A fine day", "Sun!", "Nice."))

MOODS = "text,label\n" + "".join(f"text number {n},{'sad' if n % 2 else 'glad'}\n" for n in range(60))


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    workplace = tmp_path / "workplace"
    workplace.mkdir()
    monkeypatch.chdir(workplace)


@pytest.fixture
def archive(make_archive):
    return make_archive({"ed/train.csv": TRAIN, "ed/valid.csv": VALID, "ed/test.csv": TEST})


@pytest.fixture
def moods(tmp_path):
    path = tmp_path / "moods.csv"
    path.write_text(MOODS)
    return path


def audit_of(folder: Path) -> Any:
    return json.loads((folder / "audit.json").read_text("utf-8"))


def test_archive_becomes_a_folder(archive):
    data, audit = prepare(PrepareSettings(archive=archive))
    assert data.folder == Path("data/empathetic-dialogues")
    assert data.splits() == ("train", "valid", "test")
    assert [row.id for row in data.examples("train")] == ["hit:1", "hit:2", "hit:3"]
    assert data.examples("train")[1].text == "We won, at last"
    assert len(data.dialogues("train")) == 4
    assert (audit.splits["train"].conversations, audit.splits["train"].turns) == (4, 8)
    assert audit_of(data.folder)["rows_read"] == {"train": 8, "valid": 3, "test": 2}
    assert audit_of(data.folder)["settings"]["archive_sha256"] == hashlib.sha256(archive.read_bytes()).hexdigest()
    assert "| train | 3 | 4 | 8 |" in (data.folder / "data_card.md").read_text("utf-8")


def test_same_input_gives_the_same_bytes(archive, moods):
    for settings in (PrepareSettings(archive=archive), PrepareSettings(source=str(moods))):
        contents = []
        for _ in range(2):
            data, _ = prepare(settings)
            files = sorted(file for file in data.folder.rglob("*") if file.is_file())
            contents.append({file: file.read_bytes() for file in files})
        assert contents[0] == contents[1]


def test_leaks_are_reported_and_kept_unless_asked(archive):
    _, audit = prepare(PrepareSettings(archive=archive))
    assert audit.overlap["train-valid"].exact == 1
    assert audit.leaks_dropped == {"examples": 0, "dialogues": 0}
    assert audit.warnings[0].startswith("Leak: 1 row of valid also in train (1 word for word, 0 nearly)")


def test_dropped_leaks_are_gone_from_texts_and_conversations(archive):
    data, audit = prepare(PrepareSettings(archive=archive, drop_leaks=True))
    assert audit.leaks_dropped == {"examples": 1, "dialogues": 2}
    assert [row.id for row in data.examples("train")] == ["hit:2", "hit:3"]
    assert [one.id for one in data.dialogues("train")] == ["hit:2", "hit:3"]
    assert len(data.examples("valid")) == 1
    assert audit.splits["train"].turns == 4


def test_unofficial_archive_is_named_and_taken(archive, capsys):
    prepare(PrepareSettings(archive=archive))
    assert "not the official file" in capsys.readouterr().err
    official = RemoteFile("http://nowhere", sha256=hashlib.sha256(archive.read_bytes()).hexdigest())
    prepare(PrepareSettings(archive=archive), official)
    assert "not the official file" not in capsys.readouterr().err


def test_download_is_checked_and_used_again(archive, serve):
    content = archive.read_bytes()
    server = serve(content)
    official = RemoteFile(server.url, len(content), hashlib.sha256(content).hexdigest())
    for _ in range(2):
        data, _ = prepare(PrepareSettings(url=server.url), official)
    assert len(server.ranges) == 1
    assert Path("data/downloads/archive.tar.gz").read_bytes() == content
    assert audit_of(data.folder)["settings"]["url"] == server.url


def test_wrong_download_leaves_nothing(archive, serve):
    server = serve(b"something else")
    official = RemoteFile(server.url, len(archive.read_bytes()), "0" * 64)
    with pytest.raises(EnvironmentFault, match="not the expected file"):
        prepare(PrepareSettings(url=server.url), official)
    assert [path for path in Path().rglob("*") if path.is_file()] == []


def test_archive_without_train_or_with_another_layout(make_archive):
    with pytest.raises(UserMistake, match=r"no train\.csv"):
        prepare(PrepareSettings(archive=make_archive({"valid.csv": VALID})))
    with pytest.raises(UserMistake, match="layout"):
        prepare(PrepareSettings(archive=make_archive({"train.csv": MOODS})))


def test_own_table_is_split_by_text(moods, capsys):
    moods.write_text(MOODS + "Text  number 0!,glad\ntext number 0,glad\n")
    data, audit = prepare(PrepareSettings(source=str(moods), valid_fraction=0.2))
    assert {split: len(data.examples(split)) for split in data.splits()} == pytest.approx(
        {"train": 44, "valid": 12, "test": 6}, abs=2
    )
    holds_zero = [split for split in data.splits() if any("number 0" in row.text for row in data.examples(split))]
    assert len(holds_zero) == 1
    assert all(overlap.exact == 0 for overlap in audit.overlap.values())
    assert audit.settings["text_column"] == "text"
    assert "column 'text'" in capsys.readouterr().err


def test_groups_stay_together(tmp_path):
    lines = [f"note {n} of {n % 15},{'sad' if n % 2 else 'glad'},person {n % 15}" for n in range(150)]
    (tmp_path / "notes.csv").write_text("\n".join(["text,label,who", *lines]))
    data, _ = prepare(PrepareSettings(source=str(tmp_path / "notes.csv"), group_column="who"))
    people = [{row.text.split()[-1] for row in data.examples(split)} for split in data.splits()]
    assert sum(map(len, people)) == 15


def test_seed_divides_otherwise(moods):
    first, _ = prepare(PrepareSettings(source=str(moods), out=Path("a")))
    second, _ = prepare(PrepareSettings(source=str(moods), out=Path("b"), seed=14))
    assert first.examples("train") != second.examples("train")
    assert first.fingerprint() != second.fingerprint()


def test_given_splits_are_kept(tmp_path):
    for name in ("train", "dev", "test"):
        (tmp_path / f"{name}.csv").write_text(MOODS.replace("text number", name))
    data, audit = prepare(PrepareSettings(source=str(tmp_path), out=Path("out")))
    assert {split: len(data.examples(split)) for split in data.splits()} == {"train": 60, "valid": 60, "test": 60}
    assert not audit.notes


def test_missing_valid_split_is_cut_from_train(tmp_path):
    for name in ("train", "test"):
        (tmp_path / f"{name}.csv").write_text(MOODS.replace("text number", name))
    data, audit = prepare(PrepareSettings(source=str(tmp_path), out=Path("out")))
    assert {split: len(data.examples(split)) for split in data.splits()} == {"train": 54, "valid": 6, "test": 60}
    assert audit.notes == {"row of train moved to valid, which the source does not have": 6}
    data, audit = prepare(PrepareSettings(source=str(tmp_path), out=Path("out"), valid_fraction=0))
    assert data.splits() == ("train", "test")
    assert "no valid split" in audit.warnings[0]


def test_builtin_source():
    data, audit = prepare(PrepareSettings(source="builtin"))
    assert data.splits() == ("train", "valid", "test")
    assert not audit.dropped
    assert "CC0" in audit.licence
    assert {split: facts.conversations for split, facts in audit.splits.items()} == {
        "train": 256, "valid": 32, "test": 32,
    }  # fmt: skip
    assert sum(audit.rows_read.values()) == 3200 + 320


def test_builtin_situations_stand_in_one_split_and_conversations_are_divided_like_texts():
    data, _ = prepare(PrepareSettings(source="builtin", valid_fraction=0.2))
    placed = [
        {comparison_key(row.text) for row in data.examples(split)}
        | {comparison_key(one.situation) for one in data.dialogues(split)}
        for split in data.splits()
    ]
    assert sum(map(len, placed)) == len(set().union(*placed)) == 3200 + 320
    for rows, share in ((data.examples, 100), (data.dialogues, 10)):
        valid = Counter(row.label if isinstance(row, Example) else row.emotion for row in rows("valid"))
        assert valid == dict.fromkeys(data.labels, share // 5)


def test_a_conversation_follows_the_text_that_it_is_about():
    texts = [f"text {n}" for n in range(60)]
    labels = ["sad", "glad"] * 30
    examples = [Example(text, text, label) for text, label in zip(texts, labels, strict=True)]
    dialogues = [Dialogue(row.text, row.label, f"{row.text.title()}!", ("Yes.", "No.")) for row in examples]
    source = Source("x", "x", "x", {UNSPLIT: examples}, Tally(), {}, {UNSPLIT: dialogues})
    divided = divide(source, {"valid": 0.2, "test": 0.1}, seed=5)
    for split, rows in divided.examples.items():
        assert [row.id for row in rows] == [one.id for one in divided.dialogues[split]]


def test_hub_source(monkeypatch):
    from datasets import Dataset, DatasetDict

    rows = {"text": [f"text {n}" for n in range(40)], "label": ["sad", "glad"] * 20}
    monkeypatch.setattr("datasets.load_dataset", lambda *_: DatasetDict(train=Dataset.from_dict(rows)))
    data, _ = prepare(PrepareSettings(source="hf:someone/moods:small"))
    assert data.folder == Path("data/moods")
    assert data.splits() == ("train", "valid", "test")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a,sad\nb,sad\n", "only one label, 'sad'"),
        ("a,\nb,NaN\n", r"No usable row is left in .*moods\.csv \(2 dropped: no label\)"),
        ("", "No usable row"),
        ("a,sad\nb,glad\n", "is too rare to be split: 1 different"),
    ],
)
def test_tables_that_teach_nothing(moods, rows, message):
    moods.write_text("text,label\n" + rows)
    with pytest.raises(UserMistake, match=message):
        prepare(PrepareSettings(source=str(moods)))
    assert not Path("data").exists()


def test_leaks_that_are_all_of_train_are_an_error(tmp_path):
    for name in ("train", "valid"):
        (tmp_path / f"{name}.csv").write_text("text,label\na,sad\nb,glad\n")
    with pytest.raises(UserMistake, match="No usable row is left in the train split"):
        prepare(PrepareSettings(source=str(tmp_path), out=Path("out"), drop_leaks=True))


def test_unknown_source_and_misplaced_archive(archive, moods):
    with pytest.raises(UserMistake, match=r"no file or folder 'emphatic'; --source is empathetic-dialogues, builtin"):
        prepare(PrepareSettings(source="emphatic"))
    with pytest.raises(UserMistake, match="--archive is for"):
        prepare(PrepareSettings(source=str(moods), archive=archive))


def test_long_and_foreign_texts_survive(tmp_path):
    texts = ["x" * 100_000, "مرحبا بالعالم", "שלום עולם", "😀😀😀", "I 💔 it", "日本語の文"]
    rows = [{"text": f"{text} {n}", "label": str(n % 2)} for n, text in enumerate(texts * 6)]
    (tmp_path / "all.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    data, audit = prepare(PrepareSettings(source=str(tmp_path / "all.jsonl")))
    kept = {row.text for split in data.splits() for row in data.examples(split)}
    assert kept == {str(row["text"]) for row in rows}
    assert not audit.dropped


def test_prepared_folder_is_replaced_and_any_other_is_not(moods):
    out = Path("out")
    prepare(PrepareSettings(source=str(moods), out=out))
    prepare(PrepareSettings(source="builtin", out=out))
    assert len(read_prepared(out).labels) > 2
    (out / "notes.txt").write_text("mine")
    with pytest.raises(UserMistake, match=r"holds other files \(notes\.txt\)"):
        prepare(PrepareSettings(source=str(moods), out=out))
    assert (out / "notes.txt").read_text() == "mine"
    for below in ("notes.txt", "notes.txt/a/b"):
        with pytest.raises(UserMistake, match=r"notes\.txt is a file; --out names a folder"):
            prepare(PrepareSettings(source=str(moods), out=out / below))


@pytest.mark.parametrize("stream", [False, True])
class TestTheSourceIsNotReplaced:
    """What one's own data stand in is no place for the folder that is made of them."""

    @pytest.fixture
    def tweets(self):
        """A folder of the user's own whose files are named as buddy's are."""
        folder = Path("data/tweets")
        folder.mkdir(parents=True)
        rows = {"text": [f"text {n}" for n in range(60)], "label": ["sad", "glad"] * 30, "user": ["me"] * 60}
        for split in ("train", "test"):
            pq.write_table(pa.table(rows), folder / f"{split}.parquet")
        return folder

    @pytest.mark.parametrize("out", [None, "data/tweets", "data/../data/tweets/", "link"])
    def test_by_a_folder_of_the_same_name(self, tweets, stream, out):
        Path("link").symlink_to(tweets)
        self.check_refused(tweets, tweets, out, stream)

    @pytest.mark.parametrize("out", ["data/tweets", "data"])
    def test_by_one_above_it(self, tweets, stream, out):
        self.check_refused(tweets, tweets / "train.parquet", out, stream)

    def test_even_if_buddy_wrote_it(self, stream):
        data, _ = prepare(PrepareSettings(source="builtin"))
        fingerprint = data.fingerprint()
        with pytest.raises(UserMistake, match=r"take the place of the source data/builtin; .* with --out\."):
            prepare(PrepareSettings(source="data/builtin", stream=stream))
        assert data.fingerprint() == fingerprint

    def test_nor_is_another_folder_that_only_looks_like_one_of_buddy(self, tweets, moods, stream):
        with pytest.raises(UserMistake, match=r"data/tweets holds other files \(test\.parquet\)"):
            prepare(PrepareSettings(source=str(moods), out=tweets, stream=stream))
        assert len(list(tweets.iterdir())) == 2

    def test_and_a_new_folder_within_it_is_allowed(self, tweets, stream):
        data, _ = prepare(PrepareSettings(source=str(tweets), out=tweets / "prepared", stream=stream))
        assert data.splits() == ("train", "valid", "test")

    @staticmethod
    def check_refused(tweets, source, out, stream):
        before = {file: file.read_bytes() for file in tweets.iterdir()}
        with pytest.raises(UserMistake, match=rf"would take the place of the source {source}; .* with --out\."):
            prepare(PrepareSettings(source=str(source), out=Path(out) if out else None, stream=stream))
        assert {file: file.read_bytes() for file in tweets.iterdir()} == before


@pytest.mark.parametrize("stream", [False, True])
def test_half_a_surrogate_pair_in_the_name_of_a_column_is_written_as_a_question_mark(tmp_path, stream):
    rows = [{"text": f"text {n}", "mood \ud83d": "sad" if n % 2 else "glad"} for n in range(100)]
    (tmp_path / "moods.jsonl").write_text("\n".join(map(json.dumps, rows)))
    source = str(tmp_path / "moods.jsonl")
    data, _ = prepare(PrepareSettings(source=source, label_column="mood \ud83d", stream=stream))
    assert audit_of(data.folder)["settings"]["label_column"] == "mood ?"


def test_failure_while_writing_keeps_the_old_folder(moods, monkeypatch):
    out = Path("out")
    before, _ = prepare(PrepareSettings(source=str(moods), out=out))
    fingerprint = before.fingerprint()

    def full(*args: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pyarrow.parquet.write_table", full)
    with pytest.raises(
        EnvironmentFault, match="out could not be written, and nothing was changed: No space left on device; free"
    ):
        prepare(PrepareSettings(source="builtin", out=out))
    assert read_prepared(out).fingerprint() == fingerprint
    assert [path.name for path in Path().iterdir()] == ["out"]


@pytest.fixture
def small_disk(tmp_path):
    """A real disk of 64 kB, where the machine lets us have one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting is not permitted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_full_disk(small_disk, tmp_path):
    lines = [f"{hashlib.sha256(bytes([n % 256, n // 256])).hexdigest()},{n % 2}" for n in range(3_000)]
    (tmp_path / "big.csv").write_text("\n".join(["text,label", *lines]))
    with pytest.raises(EnvironmentFault, match="No space left on device"):
        prepare(PrepareSettings(source=str(tmp_path / "big.csv"), out=small_disk / "out"))
    assert list(small_disk.iterdir()) == []


def test_full_disk_keeps_no_new_folder_either(small_disk, moods):
    (small_disk / "fill").write_bytes(bytes(64 * 1024 - 4096))
    with pytest.raises(EnvironmentFault, match="No space left on device"):
        prepare(PrepareSettings(source=str(moods), out=small_disk / "a" / "b" / "out"))
    assert [path.name for path in small_disk.iterdir()] == ["fill"]


def test_full_disk_while_downloading(small_disk, archive, serve):
    content = archive.read_bytes() + bytes(500_000)
    server = serve(content)
    official = RemoteFile(server.url, len(content), hashlib.sha256(content).hexdigest())
    with pytest.raises(EnvironmentFault, match=r"part could not be written: No space left on device"):
        prepare(PrepareSettings(url=server.url, out=small_disk / "out"), official)


def test_read_only_folder(small_disk, moods):
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(EnvironmentFault, match="Read-only file system"):
        prepare(PrepareSettings(source=str(moods), out=small_disk / "out"))


@pytest.mark.parametrize(
    ("source", "folder"),
    [
        ("empathetic-dialogues", "data/empathetic-dialogues"),
        ("builtin", "data/builtin"),
        ("hf:emotion", "data/emotion"),
        ("/tables/my.moods.csv", "data/my.moods"),
        (".", "data/own"),
    ],
)
def test_default_folder(source, folder):
    assert default_folder(source) == Path(folder)


@pytest.mark.slow
def test_the_real_archive(ed_archive):
    data, audit = prepare(PrepareSettings(archive=ed_archive, drop_leaks=True))
    assert audit.rows_read == {"train": 84_204, "valid": 12_074}
    assert not audit.dropped
    assert (audit.splits["valid"].conversations, audit.splits["valid"].turns) == (2_769, 12_074)
    assert 19_541 - audit.leaks_dropped["dialogues"] == audit.splits["train"].conversations
    assert 0 < audit.leaks_dropped["examples"] < 50
    assert len(data.labels) == 32
