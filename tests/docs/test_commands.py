"""Every command of the site and the READMEs is run: in the order of its page, with small stand-ins for data and models.

A stand-in is put where a command looks for something that no command before it has made; ``STOOD_IN`` lists for each
page what that may be, so that a walkthrough which loses its thread fails. Training gets options that make it short;
all else is typed as it stands on the page. What cannot be run is listed in ``NOT_RUN`` with the reason.
"""

import io
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.conftest import LABELS, CommandLine, write_moods
from tests.docs.pages import REPOSITORY, WITH_README, blocks, name_of, run_program, typed_commands

NOT_RUN = {
    r"python3 -m venv .*": "makes an environment and changes the shell",
    r"pip install .*": "installs from an index",
    r"buddy demo": "takes minutes; tests/cli/test_demo.py runs it with fewer steps",
    r"buddy prepare": "downloads; tests/data/test_download.py does it on the loopback",
    r"buddy prepare --archive .*": "needs the real archive; tests/data/test_archive.py reads small ones",
    r"buddy prepare --source hf:.*": "downloads; tests/data/test_hub.py does it with a stand-in for the hub",
    r"buddy prepare --source builtin": "takes long; tests/cli/test_demo.py and the examples on data.md run it",
    r"buddy bench train .*": "takes long; tests/bench/test_train.py runs it with few texts",
    r"buddy train .*--device cuda .*": "needs a GPU; tests/training/test_device.py covers the choice",
    r"torchrun .*": "starts processes; tests/training/test_several_processes.py starts two as it does",
    r"accelerate launch .*": "starts processes; tests/training/test_several_processes.py starts two as it does",
    r"make [a-z-]+": "installs into .venv first; tests/test_readme.py looks for the target",
    r"jupyter lab .*": "serves until it is stopped; tests/test_lessons.py looks after the notebooks",
    r"tensorboard .*": "a program of others that serves until it is stopped",
    r"buddy serve.*": "serves until it is stopped; tests/serving starts it",
    r"uvicorn .*": "serves until it is stopped; tests/docs/test_programs.py asks the program without it",
    r"buddy classify --engine ray .*": "starts a cluster; tests/inference/test_ray_bulk.py does it",
    r".*(ray (start|get-auth-token)|serve deploy) .*": "starts a cluster; tests/serving reads the file",
    r"python docs/figures.py runs/.*": "draws into docs; tests/docs/test_site.py reads what it prints",
    r"python docs/scale.py": "takes minutes; tests/docs/test_scale.py runs it with one small model",
    r"curl .*": "asks that server; tests/docs/test_programs.py sends the same request",
}
QUICK = ["--epochs", "1", "--batch-size", "8", "--max-tokens", "64", "--evaluations-per-epoch", "1", "--device", "cpu"]
TINY = ["--backbone", "scratch:tiny", "--vocabulary-size", "400"]
QUICKER = {
    "train": QUICK,
    "pretrain": [*QUICK, "--max-tokens", "32"],
    "evaluate": ["--bootstrap", "20", "--replies", "1"],
    "bench classify": ["--texts", "8", "--rounds", "1"],
    "bench chat": ["--messages", "2", "--rounds", "1"],
    "bench start": ["--rounds", "1"],
    "bench serve": ["--clients", "4", "--seconds", "1", "--overload-seconds", "2", "--streams", "4"],
}
WITH_ALTERNATIVES = ("training", "pretraining")
"""Pages that show several ways to make the same run; elsewhere a reader may type one line after the other."""

OF_THE_GUARD = {f"tests/companion/{name}_messages.jsonl" for name in ("held_back", "examiner", "natural", "safety")}

STOOD_IN: Mapping[str, set[str]] = {
    "README": {"data/empathetic-dialogues"},
    "data": {"moods.csv"},
    "evaluation": {"data/moods", "runs/emotion", "models/emotion"},
    "index": {"moods.csv", "data/empathetic-dialogues"},
    "measured": {"data/builtin", "data/empathetic-dialogues", *OF_THE_GUARD},
    "pretraining": {"diaries.jsonl.xz", "novels.txt", "talk.jsonl", "blogs.jsonl.xz", "data/moods"},
    "safety": set(OF_THE_GUARD),
    "training": {"data/builtin", "data/empathetic-dialogues", "data/moods", "gpt2"},
    "tutorials/gpt2": {"data/moods", "gpt2", "copies/gpt2"},
    "tutorials/lora": {"data/tickets", "data/moods", "gpt2"},
    "using": {"runs/companion", "diary.txt", "diary.csv", "data/empathetic-dialogues"},
}
"""What a page takes for granted: files of the reader's, and what another page or a command of ``NOT_RUN`` makes."""

PAGES = [page for page in WITH_README if typed_commands(page)]


@dataclass(frozen=True)
class StandIns:
    """What can stand in for a path, and which paths it was put at.

    Attributes:
        makers: by a pattern of the path; the first that fits is taken.
        used: in the order in which they were needed.
    """

    makers: Mapping[str, Callable[[Path], object]]
    used: list[str] = field(default_factory=list)

    def put(self, name: str) -> None:
        """Put something small at a path, if it is one."""
        make = next((make for pattern, make in self.makers.items() if re.fullmatch(pattern, name)), None)
        if make:
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            make(Path(name))
            self.used.append(name)


def not_run(command: str) -> bool:
    return any(re.fullmatch(pattern, command) for pattern in NOT_RUN)


@pytest.fixture
def stand_ins(moods, trained_run, companion_checkpoint, exported_run, companion_model):
    """Put something small where a command looks for a folder or file."""

    def folder(source: Path) -> Callable[[Path], object]:
        return lambda place: shutil.copytree(source, place)

    def text(content: str) -> Callable[[Path], object]:
        return lambda place: place.write_text(content, encoding="utf-8")

    def emotions(place: Path) -> None:
        write_moods(place, labels=("sad", "furious"))

    def some_lines(place: Path) -> None:
        lines = (REPOSITORY / place).read_text("utf-8").splitlines(keepends=True)
        place.write_text("".join(lines[::20]), encoding="utf-8")

    def hub_model(place: Path) -> None:
        from tests.training.test_backbone import write_foreign_model

        write_foreign_model(place)

    passages = "\n\n".join(f"It rained on day {n}, and we all went out again." for n in range(600))
    rows = "".join(f"We won the game number {n}.,{LABELS[n % 4]}\n" for n in range(80))
    spoken = "".join(f'{{"text": "It rained on day {n}, and nobody called."}}\n' for n in range(600))
    makers = {
        r"data/(empathetic-dialogues|builtin)": emotions,
        r"data/.*": folder(moods),
        r"runs/companion": folder(companion_checkpoint.parent),
        r"runs/base/best": folder(trained_run / "best"),
        r"runs/[^/]+": folder(trained_run),
        r"models/companion": folder(companion_model),
        r"models/.*": folder(exported_run),
        r"gpt2|copies/gpt2": hub_model,
        r"moods\.csv": text(f"message,mood\n{rows}"),
        r"tests/companion/\w+\.jsonl": some_lines,
        r"diary\.txt": text("I lost my cat.\n\nWe won!\n"),
        r"diary\.csv": text("day,entry\n1,I lost my cat.\n2,We won!\n"),
        r"novels\.txt": text(passages),
        r".*\.jsonl(\.xz)?": lambda place: write_lines(place, spoken),
    }
    return StandIns(makers)


def write_lines(place: Path, content: str) -> None:
    import lzma

    place.write_bytes(lzma.compress(content.encode()) if place.suffix == ".xz" else content.encode())


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_of_the_page_run(page, buddy, stand_ins, monkeypatch):
    monkeypatch.setattr("buddy.evaluation.report.png", lambda _: b"a figure")  # tested elsewhere, and slow
    monkeypatch.setattr("buddy.bench.start.TRANSFORMERS_SCRIPT", "print('sad')")  # tests/bench runs the real one
    for file, content in files_of(page).items():
        Path(file).write_text(content, encoding="utf-8")
    for command in typed_commands(page):
        if not_run(command):
            continue
        code, out, err = run(command, page, buddy, stand_ins, monkeypatch)
        assert code == 0, f"$ {command}\n{out}{err}"
        check_outcome(command, out, page)
    assert set(stand_ins.used) == STOOD_IN.get(name_of(page), set())


def test_what_is_not_run_is_on_a_page_and_what_runs_it_is_there():
    typed = [command for page in PAGES for command in typed_commands(page)]
    unused = [pattern for pattern in NOT_RUN if not any(re.fullmatch(pattern, command) for command in typed)]
    assert unused == []
    named = [file for reason in NOT_RUN.values() for file in re.findall(r"tests/[\w/]+\.py", reason)]
    assert [file for file in named if not (REPOSITORY / file).exists()] == []
    of_buddy = [command for command in typed if command.startswith("buddy ")]
    assert sum(not not_run(command) for command in of_buddy) > 3 / 4 * len(of_buddy)
    assert set(STOOD_IN) <= set(map(name_of, PAGES))


def files_of(page: Path) -> dict[str, str]:
    """Give the files that a page shows: a block that begins with its name as a comment."""
    shown = [block for language in ("python", "yaml") for block in blocks(page, language)]
    named = [(re.match(r"# ([\w.]+)\n", block), block) for block in shown]
    return {found[1]: block for found, block in named if found}


def run(command: str, page: Path, buddy: CommandLine, stand_ins: StandIns, monkeypatch) -> tuple[object, str, str]:
    """Run a line as a shell would: with what it sets, reads and writes."""
    said, _, command = command.rpartition(" | ")
    words = shlex.split(command)
    while re.match(r"[A-Z_]+=", words[0]):
        monkeypatch.setenv(*words.pop(0).split("=", 1))
    target = take(words, ">")
    source = take(words, "<")
    if words[0] == "python":
        return run_python(words[1:])
    assert words[0] == "buddy"
    supply(words[1:] + ([source] if source else []), page, stand_ins)
    spoken = shlex.split(said)[-1] if said else Path(source).read_text() if source else "\n".join(answers(page))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"{spoken}\n".encode()), "utf-8"))
    code, out, err = buddy(*words[1:], *quicker(words))
    if target:
        Path(target).write_text(out)
    return code, out, err


def take(words: list[str], mark: str) -> str:
    """Take ``> FILE`` out of the words of a command."""
    if mark not in words:
        return ""
    place = words.index(mark)
    words.pop(place)
    return words.pop(place)


def run_python(words: list[str]) -> tuple[int, str, str]:
    program = words[1] if words[0] == "-c" else Path(words[0]).read_text("utf-8")
    run_program(program, words[0])
    return 0, "", ""


def supply(words: list[str], page: Path, stand_ins: StandIns) -> None:
    """Put a stand-in where a command looks for something that is not there."""
    out = next((words[words.index(option) + 1] for option in ("--out", "--output") if option in words), None)
    resumes = "--resume" in words
    if words[0] in ("train", "pretrain") and not resumes and page.stem in WITH_ALTERNATIVES:
        shutil.rmtree(out or "runs/emotion", ignore_errors=True)
    for word in words:
        name = word.partition("@")[0]
        if not Path(name).exists() and (word != out or resumes):
            stand_ins.put(name)


def quicker(words: list[str]) -> list[str]:
    """Give the options that make a command short without changing what it does."""
    if "--resume" in words:
        return []
    learns_from_nothing = words[1] in ("train", "pretrain") and (
        "--backbone" not in words or any(word.startswith("scratch:") for word in words)
    )
    name = " ".join(words[1:3]) if words[1] == "bench" else words[1]
    return [*QUICKER.get(name, []), *(TINY if learns_from_nothing else [])]


def answers(page: Path) -> list[str]:
    """Give what the page shows a person typing in a conversation."""
    return [
        line.removeprefix("> ") for block in blocks(page, "console") for line in block.splitlines() if line[:2] == "> "
    ]


def check_outcome(command: str, out: str, page: Path) -> None:
    """A command has left what it is for."""
    words = shlex.split(command)
    if "--out" in words:
        assert Path(words[words.index("--out") + 1]).is_dir()
    if "--output" in words:
        assert Path(words[words.index("--output") + 1]).is_file()
        return
    if words[:2] == ["buddy", "evaluate"]:
        assert "accuracy" in out
        where = Path(words[words.index("--out") + 1] if "--out" in words else words[2])
        assert (where / "metrics.json").exists()
        assert (where / "report.html").exists()
    if words[:2] == ["buddy", "chat"]:
        felt = re.findall(r"^  (\w+) ▕.*▏ \d+%$", "\n".join(blocks(page, "console")), flags=re.MULTILINE)
        assert not felt or re.findall(r"^  (\w+) \S.*\S \d+%$", out, flags=re.MULTILINE) == felt
    if words[:2] == ["buddy", "classify"] and "--model" not in words and ">" not in words:
        shown = re.findall(r"^\w+ +\d+% .*", "\n".join(blocks(page, "console")), flags=re.MULTILINE)
        of_command = [line for line in shown if any(line.endswith(word) for word in words[2:])]
        assert bool(of_command) == bool(shown)
        assert not shown or [shares(line) for line in out.splitlines()] == [
            pytest.approx(shares(line), abs=1.5) for line in of_command
        ]


def shares(line: str) -> dict[str, float]:
    """Give the labels of a line and their percentages; another processor may round them otherwise."""
    return {label: float(share) for label, share in re.findall(r"(\w+) +(\d+)%", line)}
