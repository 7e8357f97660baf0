"""What holds for every command: options from a file, help, and how it fails."""

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import typer

from buddy import __version__
from buddy.cli import commands  # noqa: F401  (registers the commands)
from buddy.cli.app import app
from buddy.errors import UserMistake, install


def leaves(command: object, name: str = "") -> list[str]:
    """Name the commands that do something: ``train``, ``bench train``."""
    below = getattr(command, "commands", {})
    return (
        [leaf for word, each in below.items() for leaf in leaves(each, f"{name} {word}")] if below else [name.strip()]
    )


COMMANDS = leaves(typer.main.get_command(app))
BUDDY = [sys.executable, "-m", "buddy"]


class TestHelp:
    def test_is_there_in_less_than_half_a_second(self):
        seconds = []
        for _ in range(6):  # the best of some, as other programs may be running
            started = time.perf_counter()
            subprocess.run([*BUDDY, "--help"], check=True, capture_output=True)
            seconds.append(time.perf_counter() - started)
            if seconds[-1] < 0.4:
                return
        assert min(seconds) < 0.4

    def test_names_every_command(self, buddy):
        code, out, _ = buddy("--help")
        assert code == 0
        assert {"prepare", "train", "evaluate", "report"} <= set(COMMANDS)
        assert all(f"  {command.split()[0]} " in out for command in COMMANDS)

    @pytest.mark.parametrize("command", COMMANDS)
    def test_of_every_command_ends_with_examples_of_it(self, buddy, command):
        code, out, err = buddy(*command.split(), "--help")
        assert (code, err) == (0, "")
        options, examples = out.split("\n  Examples:\n")
        assert "--help" in options
        assert f"\n  buddy {command}" in examples

    def test_is_shown_when_nothing_is_asked(self, buddy):
        _, out, err = buddy()
        assert "Usage: " in out + err
        assert "Commands:" in out + err

    def test_version(self, buddy):
        assert buddy("--version") == (0, f"buddy {__version__}\n", "")


class TestConfigFile:
    @pytest.fixture
    def asked(self, monkeypatch):
        """What reaches training: the settings, instead of a run."""
        from buddy.training.stopping import StopRequest

        seen = {}

        def note(settings, make_evaluate):
            seen.update({name: getattr(settings, name) for name in settings.__dataclass_fields__})
            return StopRequest(signal_number=15)

        monkeypatch.setattr("buddy.training.run.start_run", note)
        return seen

    def test_gives_defaults_and_the_command_line_wins(self, buddy, asked):
        Path("train.yaml").write_text(
            "data: moods\nbatch-size: 5\nlearning_rate: 3e-4\ntensorboard: true\nbest_by: loss\nepochs: 7\n"
        )
        buddy("train", "--config", "train.yaml", "--epochs", 2.5)
        assert asked["data"] == Path("moods").absolute()
        assert (asked["batch_size"], asked["learning_rate"], asked["tensorboard"]) == (5, 3e-4, True)
        assert asked["best_by"] == "loss"
        assert asked["epochs"] == 2.5
        assert asked["seed"] == 13

    def test_may_stand_after_the_options_it_gives_way_to(self, buddy, asked):
        Path("train.yaml").write_text("data: moods\nseed: 1\n")
        buddy("train", "--seed", 2, "--config", "train.yaml")
        assert asked["seed"] == 2

    def test_has_the_names_that_one_types(self, buddy):
        Path("safety.yaml").write_text("input: none.jsonl\njson: true\n")
        _, _, err = buddy("evaluate-safety", "--config", "safety.yaml")
        assert "Invalid value for '--input': file 'none.jsonl' does not exist" in err

    @pytest.mark.parametrize(
        ("line", "is_off"),
        [
            ("no-memory: true", True),
            ("no_memory: true", True),
            ("memory: false", True),
            ("no-memory: false", False),
            ("no-memory: null", False),
        ],
    )
    def test_may_turn_an_option_off(self, buddy, line, is_off):
        Path("chat.yaml").write_text(line)
        _, _, err = buddy("chat", "--model", "nowhere", "--forget-after", 30, "--config", "chat.yaml")
        assert ("--forget-after is about a memory; leave out --no-memory." in err) == is_off

    @pytest.mark.parametrize(("written", "names"), [("[a.txt, b.txt@2]", ["a.txt", "b.txt@2"]), ("a.txt", ["a.txt"])])
    def test_has_a_list_for_what_may_be_given_several_times(self, buddy, monkeypatch, written, names):
        seen: list[str] = []

        def stop(settings, files, labels):
            raise UserMistake("Enough.")

        monkeypatch.setattr("buddy.data.corpus.parse_corpus_file", seen.append)
        monkeypatch.setattr("buddy.training.pretrain.make_corpus", stop)
        Path("pretrain.yaml").write_text(f"corpus: {written}\n")
        assert buddy("pretrain", "--config", "pretrain.yaml") == (2, "", "buddy: Enough.\n")
        assert seen == names

    def test_names_what_is_known_as_one_types_it(self, buddy):
        Path("safety.yaml").write_text("input_file: none.jsonl\n")
        _, _, err = buddy("evaluate-safety", "--config", "safety.yaml")
        known = "input, json, rules-only"
        assert err == f"buddy: safety.yaml names the unknown option 'input_file'; known are {known}.\n"

    @pytest.mark.parametrize(
        ("command", "content", "sentence"),
        [
            ("chat", "no-memory: 'yes'", "chat.yaml must say true or false behind 'no-memory'."),
            ("pretrain", "corpus: [[a, b]]", "pretrain.yaml gives 'corpus' several values"),
            ("pretrain", "corpus: []", "Say what to read: --corpus FILE"),
        ],
    )
    def test_with_a_value_that_means_nothing_is_one_sentence(self, buddy, command, content, sentence):
        Path(f"{command}.yaml").write_text(content)
        code, _, err = buddy(command, "--config", f"{command}.yaml")
        assert (code, sentence in err) == (2, True)

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            ("batch-size: 1\nbatch_size: 2", "train.yaml gives 'batch_size' twice, in two spellings."),
            ("colour: red", "train.yaml names the unknown option 'colour'; known are backbone, batch-size,"),
            ("config: other.yaml", "names the unknown option 'config'"),
            ("- data", "train.yaml must hold 'option: value' lines."),
            ("{", "train.yaml is not a YAML file"),
            ("a: \xff", "train.yaml is not a YAML file"),
            (
                "epochs: 1\n\tout: 5",
                "found character '\\t' that cannot start any token (line 2)",
            ),
            ("a: 1\n---\nb: 2", "expected a single document in the stream, but found another document (line 2)"),
            ("[" * 100_000, "train.yaml is not a YAML file"),
            ("data: [a, b]", "train.yaml gives 'data' several values; an option takes one."),
            ("data: &a [*a]", "train.yaml gives 'data' several values"),
            ("seed: many", "Invalid value for '--seed'"),
        ],
    )
    def test_with_a_mistake_is_one_sentence(self, buddy, asked, content, sentence):
        Path("train.yaml").write_bytes(content.encode("latin-1"))
        code, out, err = buddy("train", "--config", "train.yaml")
        assert (code, out) == (2, "")
        assert err.startswith("buddy: ")
        assert err.count("\n") == 1
        assert sentence in err
        assert not asked

    def test_that_is_not_there_is_one_sentence(self, buddy):
        sentence = "buddy: none.yaml: No such file or directory; check the name.\n"
        assert buddy("train", "--config", "none.yaml") == (2, "", sentence)

    def test_value_is_taken_as_if_it_were_typed(self, buddy, asked):
        Path("train.yaml").write_text("data: 2020-01-01\nout: 5\ntensorboard: false\nepochs: null\nteacher: ''\n")
        buddy("train", "--config", "train.yaml")
        assert asked["teacher"] == ""
        assert (asked["data"], asked["out"]) == (Path("2020-01-01").absolute(), Path("5"))
        assert asked["tensorboard"] is False

    def test_value_of_the_wrong_kind_is_refused_by_name(self, buddy, asked):
        Path("train.yaml").write_text("data: moods\nbatch_size: many\n")
        code, _, err = buddy("train", "--config", "train.yaml")
        assert code == 2
        assert "--batch-size" in err
        assert not asked


class TestFailure:
    def test_of_the_users_making_is_one_sentence_without_a_traceback(self, buddy):
        assert buddy("train", "--data", "nowhere") == (
            2,
            "",
            f"buddy: There is no folder {Path('nowhere').absolute()}; `buddy prepare` makes one, see its --source.\n",
        )

    def test_shows_its_traceback_when_asked(self, buddy):
        code, out, err = buddy("--debug", "train", "--data", "nowhere")
        assert (code, out) == (2, "")
        assert err.startswith("Traceback (most recent call last):\n")
        assert "UserMistake" in err
        assert err.splitlines()[-1].startswith("buddy: There is no folder")

    @pytest.mark.parametrize(
        ("number", "code", "sentence"),
        [
            (errno.ENOSPC, 1, "buddy: runs/emotion: No space left on device; free some space and try again."),
            (errno.EROFS, 1, "buddy: runs/emotion: Read-only file system; name a place that can be written to."),
            (errno.EISDIR, 2, "buddy: runs/emotion: Is a directory; a file is needed in this place."),
        ],
        ids=["disk-full", "read-only", "mistake"],
    )
    def test_of_the_machine_is_one_sentence_and_another_code(self, buddy, monkeypatch, number, code, sentence):
        def fail(*_):
            raise OSError(number, os.strerror(number), "runs/emotion")

        monkeypatch.setattr("buddy.training.run.start_run", fail)
        assert buddy("train", "--data", ".") == (code, "", f"{sentence}\n")

    def test_that_nobody_foresaw_shows_its_traceback(self, buddy, monkeypatch):
        def fail(*_):
            raise RuntimeError("a defect of ours")

        monkeypatch.setattr("buddy.training.run.start_run", fail)
        with pytest.raises(RuntimeError, match="a defect of ours"):
            buddy("train", "--data", ".")

    @pytest.mark.parametrize(
        "error",
        [
            MemoryError("Unable to allocate 9. GiB for an array"),
            torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
            RuntimeError("[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory"),
            RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
            RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        ],
    )
    def test_for_want_of_memory_is_one_sentence(self, buddy, monkeypatch, error):
        def fail(*_):
            raise error

        monkeypatch.setattr("buddy.evaluation.evaluate.evaluate_run", fail)
        code, out, err = buddy("evaluate", "run")
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert err.startswith("buddy: Memory ran out; ")

    def test_by_ctrl_c_has_the_shells_code(self, buddy, monkeypatch):
        def interrupt(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr("buddy.training.run.start_run", interrupt)
        code, out, err = buddy("train", "--data", ".")
        assert (code, out) == (130, "")
        assert "Traceback" not in err

    def test_of_a_reader_that_went_away_is_silent(self):
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run([*BUDDY, "--help"], stdout=writing, stderr=subprocess.PIPE, check=False)
        os.close(writing)
        assert done.stderr == b""

    @pytest.mark.parametrize(
        "arguments",
        [["dance"], ["train", "--colour", "red"], ["train", "--batch-size", "0"], ["train", "--seed"], ["bench", "it"]],
    )
    def test_of_an_unknown_word_is_one_sentence_with_code_2(self, buddy, arguments):
        code, out, err = buddy(*arguments)
        assert (code, out) == (2, "")
        assert err.startswith("buddy: ")
        assert err.count("\n") == 1
        assert arguments[-1] in err or arguments[-2] in err
        assert " --help`." in err

    def test_quotes_a_stranger_without_his_line_breaks_and_colours(self, buddy):
        _, _, err = buddy("evaluate", "a\nb\x1b[31mc")
        assert err.startswith("buddy: There is no run folder a b [31mc;")
        assert err.count("\n") == 1

    def test_of_an_argument_that_is_no_text(self, buddy):
        code, out, err = buddy("evaluate", os.fsdecode(b"caf\xe9"))
        assert (code, out) == (2, "")
        assert err == "buddy: The argument 'caf\\udce9' is not UTF-8; rename the file, or type it otherwise.\n"

    def test_is_not_what_a_terminal_without_emoji_gets(self, tmp_path):
        rows = [f"text number {n},{'sad' if n % 2 else '😀'}" for n in range(8)]
        (tmp_path / "moods.csv").write_text("\n".join(["text,label", *rows]), encoding="utf-8")
        done = subprocess.run(
            [*BUDDY, "prepare", "--source", "moods.csv"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONIOENCODING": "ascii"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0
        assert "fewer than 5 training texts: sad, \\U0001f600." in done.stdout


def test_a_library_that_is_not_installed_is_named_with_what_brings_it(buddy, monkeypatch):
    def missing(*_):
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr("buddy.training.run.start_run", missing)
    code, _, err = buddy("train", "--data", "anywhere")
    assert (code, err) == (
        1,
        f"buddy: This needs torch, which is not installed: {install('train')}.\n",
    )


def test_a_missing_module_of_our_own_is_a_defect_and_shows_it(buddy, monkeypatch):
    def missing(*_):
        raise ModuleNotFoundError("No module named 'buddy.lost'", name="buddy.lost")

    monkeypatch.setattr("buddy.training.run.start_run", missing)
    with pytest.raises(ModuleNotFoundError):
        buddy("train", "--data", "anywhere")
