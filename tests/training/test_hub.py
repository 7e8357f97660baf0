"""Models from the hub: `buddy train --backbone NAME` in a process of its own, with a hub on the loopback."""

import json

import pytest

from tests.training.conftest import QUICK_RUN, as_options, curves
from tests.training.test_backbone import write_foreign_model

PRETRAINED = {key: value for key, value in QUICK_RUN.items() if key not in ("backbone", "vocabulary_size")}
OPTIONS = as_options({**QUICK_RUN, "epochs": 1.0})


@pytest.fixture
def gpt2(hub):
    """What the hub knows as gpt2; a tiny one."""
    folder = hub.folder / "openai-community" / "gpt2"
    if not folder.exists():
        write_foreign_model(folder)
    return folder


def test_a_model_is_fetched_by_its_name_and_trained(start_buddy, hub, gpt2, moods, tmp_path):
    options = as_options({**PRETRAINED, "epochs": 1.0, "backbone": "gpt2"})
    command = start_buddy("train", "--data", moods, "--out", "run", *options)
    assert command.wait() == 0, command.err
    fetched = [request for request in hub.requests if request.startswith("GET /openai-community/gpt2/resolve/")]
    assert [request.endswith("/model.safetensors") for request in fetched].count(True) == 1
    config = json.loads((tmp_path / "run" / "best" / "config.json").read_text())
    assert (config["n_embd"], config["n_layer"]) == (32, 2)
    points = curves(tmp_path / "run")
    assert points[-1]["train_loss"] < points[0]["train_loss"]


def test_nobody_is_asked_anything_unless_a_name_is_given(start_buddy, hub, moods):
    asked = list(hub.requests)
    for arguments in (["--data", moods, "--out", "run", *OPTIONS], ["--resume", "--out", "run"]):
        command = start_buddy("train", *arguments)
        assert command.wait() == 0, command.err
    assert hub.requests == asked


def test_a_name_that_does_not_exist_is_one_sentence(start_buddy, hub, moods, tmp_path):
    command = start_buddy("train", "--data", moods, "--out", "run", "--backbone", "nobody/nothing")
    assert command.wait() == 2
    assert any("nobody/nothing" in request for request in hub.requests)
    (line,) = command.err.splitlines()
    assert line.startswith("buddy: There is no folder or hub model 'nobody/nothing' that can be loaded")
    assert line.endswith("offline, try scratch:small.")
    assert not (tmp_path / "run").exists()


def test_a_model_without_safetensors_is_one_sentence_and_nobody_is_asked_to_convert_it(start_buddy, hub, gpt2, moods):
    pickled = hub.folder / "somebody" / "pickled"
    pickled.mkdir(parents=True)
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (pickled / name).write_bytes((gpt2 / name).read_bytes())
    (pickled / "pytorch_model.bin").write_bytes(b"a pickle")
    command = start_buddy("train", "--data", moods, "--out", "run", "--backbone", "somebody/pickled")
    assert command.wait() == 2
    (line,) = command.err.splitlines()
    assert "'somebody/pickled'" in line
    requests = [request for request in hub.requests if "somebody" in request]
    assert requests
    assert not [request for request in requests if "pytorch_model.bin" in request], "a pickle may not be fetched"
    assert not [request for request in requests if "/commits/" in request], "the library asks before it asks others"
