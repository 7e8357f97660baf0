import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value, load_dataset
from datasets.exceptions import DatasetGenerationError

from buddy.data.hub import read_hub
from buddy.errors import EnvironmentFault, UserMistake

FEATURES = Features({"text": Value("string"), "label": ClassLabel(names=["sad", "glad"])})


def rows(*labels: int) -> Dataset:
    return Dataset.from_dict({"text": [f"text {n}" for n in range(len(labels))], "label": list(labels)}, FEATURES)


@pytest.fixture
def hub(monkeypatch):
    """Stands in for the network: what ``load_dataset`` returns or raises."""
    asked = []

    def answer(result):
        def load(path, name=None):
            asked.append((path, name))
            if isinstance(result, Exception):
                raise result
            return result

        monkeypatch.setattr("datasets.load_dataset", load)
        return asked

    return answer


def test_splits_and_class_names(hub):
    asked = hub(DatasetDict(train=rows(0, 1), validation=rows(1), test=rows(0)))
    source = read_hub("someone/moods", None, None, None)
    assert asked == [("someone/moods", None)]
    assert {split: [row.label for row in found] for split, found in source.examples.items()} == {
        "train": ["sad", "glad"],
        "valid": ["glad"],
        "test": ["sad"],
    }
    assert source.name == "moods"
    assert "someone/moods" in source.licence


def test_configuration_is_passed_on(hub):
    asked = hub(DatasetDict(train=rows(0, 1)))
    source = read_hub("someone/moods:small", None, None, None)
    assert asked == [("someone/moods", "small")]
    assert list(source.examples) == ["all"], "a single split is divided by buddy"


def test_split_with_secret_labels_is_left_out(hub):
    hub(DatasetDict(train=rows(0, 1), test=rows(-1, -1)))
    source = read_hub("glue", None, None, None)
    assert list(source.examples) == ["train"]
    assert source.tally.notes == {"split left out: its labels are kept secret": 1}


def test_no_train_split_names_those_there(hub):
    hub(DatasetDict(left=rows(0), right=rows(1)))
    with pytest.raises(UserMistake, match="it has left, right"):
        read_hub("someone/moods", None, None, None)


def test_unsplit_answer_is_refused(hub):
    hub(rows(0))
    with pytest.raises(UserMistake, match="no data set with splits"):
        read_hub("someone/moods", None, None, None)


@pytest.mark.parametrize(
    "error", [FileNotFoundError("not there.\ndetails"), ValueError("not there"), DatasetGenerationError("not there")]
)
def test_failure_is_one_sentence(hub, error):
    hub(error)
    with pytest.raises(UserMistake, match=r"^Could not load the data set 'a/b': not there; check the name .*\.$"):
        read_hub("a/b", None, None, None)


def test_no_network_is_not_the_users_mistake(hub):
    hub(ConnectionError("Couldn't reach 'a/b' on the Hub"))
    with pytest.raises(EnvironmentFault, match=r"Could not reach the data set 'a/b': .*; check the network"):
        read_hub("a/b", None, None, None)


def test_full_disk_is_left_to_the_command_line(hub):
    hub(OSError(28, "No space left on device"))
    with pytest.raises(OSError, match="No space left"):
        read_hub("a/b", None, None, None)


@pytest.mark.parametrize("name", ["", ":small"])
def test_no_name_is_refused(name):
    with pytest.raises(UserMistake, match="must be followed by the name of a data set"):
        read_hub(name, None, None, None)


def test_the_library_itself_is_understood(tmp_path, monkeypatch):
    for split, data in {"train": rows(0, 1), "test": rows(1, 0)}.items():
        data.to_parquet(tmp_path / f"{split}.parquet")
    monkeypatch.setattr(
        "datasets.load_dataset", lambda path, name: load_dataset(path, name, cache_dir=str(tmp_path / "cache"))
    )
    source = read_hub(str(tmp_path), None, None, None)
    assert [row.label for row in source.examples["test"]] == ["glad", "sad"]
