"""`buddy mood`, with a memory of the tests' own in the place of the user's."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest

from buddy.cli.chat import NOT_REMEMBERED
from buddy.companion.affect import AFFECTS
from buddy.companion.conversation import Kind, Turn, now
from buddy.companion.mood_summary import NOTHING
from buddy.errors import install


@dataclass(frozen=True)
class Stored:
    id: str
    begun_at: datetime
    last_at: datetime
    turns: int


@dataclass
class StandIn:
    """A memory as `buddy mood` needs it."""

    held: dict[str, Sequence[Turn]] = field(default_factory=dict)
    opened: list[str | None] = field(default_factory=list)
    closed: int = 0

    def __enter__(self) -> "StandIn":
        return self

    def __exit__(self, *_: object) -> None:
        self.closed += 1

    def conversations(self, owner: str = "") -> list[Stored]:
        assert owner == ""
        return [Stored(name, turns[0].said_at, turns[-1].said_at, len(turns)) for name, turns in self.held.items()]

    def turns(self, conversation: str, owner: str = "") -> list[Turn]:
        assert owner == ""
        return list(self.held[conversation])


@pytest.fixture
def memory(monkeypatch, tmp_path):
    stand_in = StandIn()
    module = ModuleType("buddy.companion.memory")
    place = tmp_path / "data" / "memory.sqlite"
    place.parent.mkdir()
    place.touch()

    def open_existing_memory(url: str | None = None) -> StandIn | None:
        stand_in.opened.append(url)
        return stand_in if place.exists() else None

    vars(module).update(open_existing_memory=open_existing_memory)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return stand_in


def say(days_ago: int, hour: int, kind: Kind = "talk", /, **emotions: float) -> Turn:
    """Say something at an hour of this machine's clock."""
    at = now().astimezone().replace(hour=hour, minute=0, second=0, microsecond=0) - timedelta(days=days_ago)
    return Turn("speaker", "something private", at, emotions, kind)


@pytest.fixture
def talks(memory):
    memory.held = {
        "aa": [say(0, 0, hopeful=1.0), say(0, 0, "crisis")],
        "bb": [say(2, 9, sad=0.8, lonely=0.2), Turn("listener", "Oh no!", now(), {}), say(2, 10, content=0.9, sad=0.1)],
        "cc": [say(9, 9, angry=1.0)],
    }
    return memory


@pytest.mark.usefixtures("memory")
class TestWithoutAMemory:
    def test_nothing_is_remembered(self, buddy, tmp_path):
        (tmp_path / "data" / "memory.sqlite").unlink()
        assert buddy("mood") == (0, "", f"{NOT_REMEMBERED}\n")

    def test_an_empty_one_has_nothing(self, buddy, memory):
        assert buddy("mood", "--conversation", "last", "--figure", "mood.png") == (
            0,
            "",
            f"{NOT_REMEMBERED}\nThere is nothing to draw.\n",
        )
        assert memory.closed == 1
        assert not Path("mood.png").exists()

    def test_programs_get_json_all_the_same(self, buddy):
        code, out, _ = buddy("mood", "--json")
        assert code == 0
        assert json.loads(out) == {"summary": NOTHING, "messages": [], "course": []}

    def test_a_missing_library_is_named_with_what_to_install(self, buddy, monkeypatch):
        class Missing:
            def find_spec(self, name: str, *_: object) -> None:
                if name == "buddy.companion.memory":
                    raise ModuleNotFoundError("No module named 'sqlalchemy'", name="sqlalchemy")

        monkeypatch.delitem(sys.modules, "buddy.companion.memory", raising=False)
        monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
        code, out, err = buddy("mood")
        assert (code, out) == (1, "")
        assert err == f"buddy: A memory needs sqlalchemy, which is not installed: {install('chat')}.\n"


@pytest.mark.usefixtures("talks")
class TestChart:
    def test_has_the_days_of_all_conversations_and_a_summary(self, buddy):
        code, out, err = buddy("mood")
        lines = out.splitlines()
        assert (code, err) == (0, "")
        assert [line.split("  ")[-1].strip() for line in lines if "│" in line and "pleasant" not in line] == [
            "angry",
            "content, sad",
            "* hopeful",
        ]
        assert out.count("(nothing for") == 2
        assert lines[-1] == (
            "Told from four messages on three days. One message was about a crisis; it is marked and not counted."
        )
        assert max(map(len, lines[: lines.index("")])) <= 80

    def test_of_one_conversation_has_its_messages(self, buddy):
        code, out, _ = buddy("mood", "--conversation", "bb", "--plain")
        sentences, summary = out.split("\n\n")
        assert code == 0
        assert [line.partition(", ")[2] for line in sentences.splitlines()] == [
            "09:00: unpleasant and calm; sad 80 percent, lonely 20 percent.",
            "10:00: pleasant and calm; content 90 percent, sad 10 percent.",
        ]
        assert "Told from two messages." in summary

    def test_of_the_last_conversation(self, buddy):
        out = buddy("mood", "--conversation", "last", "--plain")[1]
        assert "hopeful 100 percent" in out
        assert "sad" not in out

    def test_of_some_days(self, buddy):
        out = buddy("mood", "--days", 3, "--plain")[1]
        assert "content" in out
        assert "angry" not in out

    def test_of_days_without_a_message_says_so(self, buddy, talks):
        talks.held = {"cc": talks.held["cc"]}
        latest = talks.held["cc"][0].said_at
        code, out, err = buddy("mood", "--days", 3)
        said = " ".join(out.split())
        assert (code, err) == (0, "")
        assert said.startswith("No message in the last 3 days that a mood could be told from; the latest is of ")
        assert f"{latest:%A} {latest.day} {latest:%B}" in said
        assert json.loads(buddy("mood", "--days", 3, "--json")[1])["summary"] == said

    def test_of_days_with_a_crisis_alone_says_both(self, buddy, talks):
        talks.held = {"aa": [say(0, 0, "crisis")], "cc": talks.held["cc"]}
        said = " ".join(buddy("mood", "--days", 3)[1].split())
        assert "No message in the last 3 days that a mood could be told from; the latest is of " in said
        assert said.endswith("One message was about a crisis; it is marked and not counted.")

    def test_repeats_nothing_of_what_was_said(self, buddy):
        for options in ((), ("--plain",), ("--json",)):
            assert "private" not in buddy("mood", *options)[1]

    def test_reads_another_memory(self, buddy, talks):
        assert buddy("mood", "--memory-url", "postgresql://host/buddy")[0] == 0
        assert talks.opened == ["postgresql://host/buddy"]

    def test_an_unknown_conversation_is_told(self, buddy):
        code, out, err = buddy("mood", "--conversation", "dd")
        assert (code, out) == (2, "")
        assert err == "buddy: No conversation 'dd' is remembered; `last` names the latest one.\n"


@pytest.mark.usefixtures("talks")
def test_json_has_what_a_program_would_count_with(buddy):
    code, out, _ = buddy("mood", "--days", 3, "--json")
    found = json.loads(out)
    assert code == 0
    assert [row["emotions"] for row in found["messages"]] == [
        {"sad": 0.8, "lonely": 0.2},
        {"content": 0.9, "sad": 0.1},
        {"hopeful": 1.0},
        {},
    ]
    assert [row["crisis"] for row in found["messages"]] == [False, False, False, True]
    assert found["messages"][2]["valence"] == pytest.approx(AFFECTS["hopeful"][0])
    assert found["messages"][3]["valence"] is None
    assert [(row["per"], row["messages"], row["crises"]) for row in found["course"]] == [
        ("day", 2, 0),
        ("day", 0, 0),
        ("day", 1, 1),
    ]
    assert datetime.fromisoformat(found["messages"][0]["said_at"]).tzinfo
    assert "Told from three messages" in found["summary"]


@pytest.mark.usefixtures("talks")
class TestFigure:
    def test_is_drawn_into_the_file(self, buddy):
        code, out, err = buddy("mood", "--figure", "figures/mood.svg")
        assert (code, err) == (0, "Figure: figures/mood.svg\n")
        assert "hopeful" in out
        assert "<svg" in Path("figures/mood.svg").read_text("utf-8")

    def test_is_drawn_for_dark_pages(self, buddy):
        buddy("mood", "--figure", "light.svg")
        buddy("mood", "--figure", "dark.svg", "--dark")
        assert "#1e2028" not in Path("light.svg").read_text("utf-8")
        assert "#1e2028" in Path("dark.svg").read_text("utf-8")

    def test_of_another_kind_is_refused(self, buddy):
        code, out, err = buddy("mood", "--figure", "mood.txt")
        assert (code, out) == (2, "")
        assert err == "buddy: mood.txt must end in .png, .svg or .pdf.\n"


def test_help_has_examples(buddy):
    code, out, _ = buddy("mood", "--help")
    assert code == 0
    assert "buddy mood --days 7 --figure week.png" in out


def test_the_module_is_light():
    program = (
        "import sys, buddy.cli.mood, buddy.companion.mood_chart; print({'matplotlib', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
