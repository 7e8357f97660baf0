"""What is kept is there, what is erased is gone, whatever happens in between."""

import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, text, update

from buddy.companion import memory_postgres, memory_sqlite
from buddy.companion.conversation import ConversationMoved, Turn, now
from buddy.companion.memory import Memory, UnknownConversation, default_path, open_existing_memory, open_memory
from buddy.companion.memory_database import TracesRemain
from buddy.companion.memory_tables import ConversationRow
from buddy.errors import BuddyError, EnvironmentFault, UserMistake
from tests.postgres import postgres_server

SECRET = "my zebra is called Amanda"
SPEAKER = Turn("speaker", SECRET, emotions={"sad": 0.6, "proud": 0.4}, safety="")
LISTENER = Turn("listener", "Oh, what a name!")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    """A PostgreSQL server of our own, or the one that BUDDY_TEST_POSTGRES_URL names."""
    url = os.environ.get("BUDDY_TEST_POSTGRES_URL")
    if url:
        yield url
        return
    with postgres_server(tmp_path_factory.mktemp("postgres")) as server:
        yield server.url


@pytest.fixture(params=["sqlite", "postgresql"])
def memory(request, tmp_path):
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'memory.sqlite3'}"
    else:
        url = request.getfixturevalue("postgres")
    with open_memory(url) as opened:
        yield opened
        for owner in ("", "a", "b"):
            opened.erase_all(owner)


def said(memory: Memory, conversation: str, owner: str = "") -> list[str]:
    return [turn.text for turn in memory.turns(conversation, owner)]


class TestKeeping:
    def test_gives_back_what_was_said(self, memory):
        talk = memory.begin().id
        memory.add(talk, [SPEAKER, LISTENER])
        memory.add(talk, [replace(LISTENER, text="And?")])
        assert memory.turns(talk) == [SPEAKER, LISTENER, replace(LISTENER, text="And?")]
        assert list(memory.turns(talk)[0].emotions) == ["sad", "proud"]
        (stored,) = memory.conversations()
        assert (stored.id, stored.turns, stored.last_at) == (talk, 3, LISTENER.said_at)

    def test_two_who_go_on_with_one_conversation_do_not_mix(self, memory):
        talk = memory.begin().id
        memory.add(talk, [SPEAKER, LISTENER], after=0)
        memory.add(talk, [SPEAKER], after=2)
        with pytest.raises(ConversationMoved):
            memory.add(talk, [replace(SPEAKER, text="And I?")], after=2)
        assert memory.turns(talk) == [SPEAKER, LISTENER, SPEAKER]

    def test_takes_any_letters(self, memory):
        talk = memory.begin().id
        memory.add(talk, [replace(SPEAKER, text="a\0b \ud800 😢 \u202e")])
        assert said(memory, talk) == ["a\ufffdb ? 😢 \u202e"]

    def test_lists_the_newest_first_and_only_ones_own(self, memory):
        old, new, other = memory.begin("a").id, memory.begin("a").id, memory.begin("b").id
        memory.add(old, [replace(SPEAKER, said_at=now() - timedelta(days=3))])
        assert [one.id for one in memory.conversations("a")] == [new, old]
        assert [one.id for one in memory.conversations("b")] == [other]

    def test_begins_with_what_a_list_shows(self, memory):
        assert memory.conversations("a") == []
        begun = memory.begin("a")
        assert memory.conversations("a") == [begun]
        assert begun.turns == 0

    def test_lists_piece_by_piece(self, memory):
        time = now()
        names = [memory.begin("a").id for _ in range(5)]
        for name in names[:3]:
            memory.add(name, [replace(SPEAKER, said_at=time)])  # at the same time: each of them comes once all the same
        listed, after = [], None
        while found := memory.conversations("a", 2, after):
            assert len(found) <= 2
            listed += found
            after = found[-1].id
        assert listed == memory.conversations("a")
        assert len(listed) == 5
        for owner, name in (("a", "nonsense"), ("b", names[0])):
            with pytest.raises(UnknownConversation):
                memory.conversations(owner, 2, name)

    def test_tells_nobody_of_anothers(self, memory):
        talk = memory.begin("a").id
        for ask in (memory.turns, memory.erase):
            for name, owner in ((talk, "b"), (talk, ""), ("nonsense", "a")):
                with pytest.raises(UnknownConversation, match=r"No conversation .* is remembered"):
                    ask(name, owner)
        with pytest.raises(LookupError):
            memory.add("nonsense", [SPEAKER])

    def test_exports_everything(self, memory):
        talk = memory.begin().id
        memory.add(talk, [SPEAKER, LISTENER])
        (found,) = memory.export()["conversations"]
        assert found["id"] == talk
        assert found["turns"][0]["text"] == SECRET
        assert memory.export(conversation=talk)["conversations"] == [found]

    def test_keeps_the_order_when_several_write(self, memory):
        talk = memory.begin().id

        def write(name: str) -> None:
            for number in range(20):
                memory.add(talk, [replace(SPEAKER, text=f"{name}{number}"), replace(LISTENER, text=f"{name}{number}!")])

        threads = [threading.Thread(target=write, args=(name,)) for name in "abc"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        texts = said(memory, talk)
        assert len(texts) == 120
        assert all(reply == f"{message}!" for message, reply in zip(texts[::2], texts[1::2], strict=True))
        for name in "abc":
            assert [t for t in texts[::2] if t[0] == name] == [f"{name}{number}" for number in range(20)]


class TestErasing:
    def test_erases_one_and_leaves_the_other(self, memory):
        one, other = memory.begin().id, memory.begin().id
        for talk in (one, other):
            memory.add(talk, [SPEAKER])
        memory.erase(one)
        assert [stored.id for stored in memory.conversations()] == [other]
        assert memory.erase_all() == 1
        assert memory.conversations() == []

    def test_forgets_what_is_old(self, memory):
        old, new = memory.begin("a").id, memory.begin("b").id
        memory.add(old, [replace(SPEAKER, said_at=now() - timedelta(days=8))])
        memory.add(new, [SPEAKER])
        assert memory.forget_older_than(7) == 1
        assert memory.conversations("a") == []
        assert said(memory, new, "b") == [SECRET]

    def test_leaves_an_old_one_that_somebody_goes_on_with_at_the_same_time(self, memory):
        talk = memory.begin().id
        memory.add(talk, [replace(SPEAKER, said_at=now() - timedelta(days=8))])
        forgetting = threading.Thread(target=memory.forget_older_than, args=(7,))
        with memory._database.writing() as connection:
            connection.execute(update(ConversationRow).where(ConversationRow.id == talk).values(last_at=now()))
            forgetting.start()
            forgetting.join(0.5)
            assert forgetting.is_alive()  # it waits for the one that goes on
        forgetting.join()
        assert said(memory, talk) == [SECRET]

    def test_leaves_no_trace_in_any_file(self, tmp_path):
        url = f"sqlite:///{tmp_path / 'm.sqlite3'}"
        with open_memory(url) as memory, open_memory(url) as another:
            talk, kept = memory.begin().id, memory.begin().id
            for number in range(300):
                memory.add(talk, [replace(SPEAKER, text=f"{SECRET} {number} " * 20)])
            another.add(kept, [LISTENER])
            assert traces(tmp_path)
            memory.erase(talk)
            assert not traces(tmp_path)
            assert said(another, kept) == [LISTENER.text]

    def test_wipes_at_the_next_try_what_a_reader_has_held(self, tmp_path, monkeypatch):
        monkeypatch.setattr(memory_sqlite, "PATIENCE_SECONDS", 0.5)
        url = f"sqlite:///{tmp_path / 'm.sqlite3'}"
        with open_memory(url) as memory, open_memory(url) as another:
            memory.add(memory.begin().id, [replace(SPEAKER, said_at=now() - timedelta(days=8))])
            with another._database.reading() as connection:
                connection.execute(text("SELECT * FROM turns")).all()
                for forget in (lambda: memory.forget_older_than(7), memory.erase_all):
                    with pytest.raises(TracesRemain):
                        forget()
                with pytest.raises(UnknownConversation):
                    memory.erase("nonsense")
            assert traces(tmp_path)
            assert memory.forget_older_than(7) == 0
            assert not traces(tmp_path)

    def test_vacuums_postgresql_again_only_after_a_failure(self, postgres):
        with open_memory(postgres) as memory:
            vacuums = []

            def fail_once(_connection, _cursor, statement, *_rest):
                if statement.startswith("VACUUM"):
                    vacuums.append(statement)
                    if len(vacuums) == 1:
                        raise EnvironmentFault("The server has gone.")

            event.listen(memory._database.engine, "before_cursor_execute", fail_once)
            assert memory.erase_all() == 0
            assert len(vacuums) == 0
            memory.begin()
            with pytest.raises(TracesRemain):
                memory.erase_all()
            assert memory.erase_all() == 0
            assert len(vacuums) == 2
            assert memory.erase_all() == 0
            assert len(vacuums) == 2

    @pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process stands in /proc")
    def test_needs_no_memory_for_the_whole_file(self, tmp_path):
        home = tmp_path / "buddy's"
        url = f"sqlite:///{home / 'm.sqlite3'}"
        program = (
            "import re, sys\nfrom pathlib import Path\nfrom buddy.companion.conversation import Turn\n"
            "from buddy.companion.memory import open_memory\n"
            "def peak(): return int(re.search('VmHWM:\\\\s+(\\\\d+)', Path('/proc/self/status').read_text())[1])\n"
            "memory = open_memory(sys.argv[1])\nkept, talk = memory.begin().id, memory.begin().id\n"
            "for _ in range(40):\n    memory.add(kept, [Turn('speaker', 'kept ' * 200_000)])\n"
            "memory.add(talk, [Turn('speaker', sys.argv[2])])\n"
            "before = peak()\nmemory.erase(talk)\nprint(peak() - before)\n"
        )
        command = [sys.executable, "-c", program, url, SECRET]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert (home / "m.sqlite3").stat().st_size > 40_000_000
        assert int(done.stdout) < 10_000
        assert not traces(home)
        assert [file.name for file in home.iterdir() if not file.name.startswith("m.sqlite3")] == []


def traces(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir() if SECRET.encode() in file.read_bytes()]


class TestFaults:
    def test_nothing_acknowledged_is_lost_when_killed(self, tmp_path):
        url = f"sqlite:///{tmp_path / 'm.sqlite3'}"
        program = (
            "import sys\nfrom buddy.companion.conversation import Turn\n"
            "from buddy.companion.memory import open_memory\n"
            "memory = open_memory(sys.argv[1])\ntalk = memory.begin().id\nprint(talk, flush=True)\n"
            "for number in range(200):\n"
            "    memory.add(talk, [Turn('speaker', str(number))])\n    print(number, flush=True)\n"
        )
        process = subprocess.Popen([sys.executable, "-c", program, url], stdout=subprocess.PIPE, text=True)
        assert process.stdout
        talk, seen = process.stdout.readline().strip(), []
        for line in process.stdout:
            seen.append(line.strip())
            if len(seen) == 60:
                process.send_signal(signal.SIGKILL)
        process.wait()
        with open_memory(url) as memory:
            assert said(memory, talk)[: len(seen)] == seen
            assert len(seen) >= 60

    def test_two_processes_write_at_once(self, tmp_path):
        url = f"sqlite:///{tmp_path / 'm.sqlite3'}"
        program = (
            "import sys\nfrom buddy.companion.conversation import Turn\n"
            "from buddy.companion.memory import open_memory\n"
            "memory = open_memory(sys.argv[1])\ntalk = memory.begin(sys.argv[2]).id\n"
            "for number in range(100):\n    memory.add(talk, [Turn('speaker', str(number))])\n"
        )
        both = [subprocess.Popen([sys.executable, "-c", program, url, owner]) for owner in "ab"]
        assert [one.wait(60) for one in both] == [0, 0]
        with open_memory(url) as memory:
            for owner in "ab":
                (stored,) = memory.conversations(owner)
                assert said(memory, stored.id, owner) == [str(number) for number in range(100)]

    def test_a_full_disk_is_told_and_loses_nothing(self, tmp_path):
        url = f"sqlite:///{tmp_path / 'm.sqlite3'}"
        program = (
            "import resource, sys\nfrom buddy.companion.conversation import Turn\n"
            "from buddy.companion.memory import open_memory\nfrom buddy.errors import BuddyError\nimport signal\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "memory = open_memory(sys.argv[1])\ntalk = memory.begin().id\nmemory.add(talk, [Turn('speaker', 'kept')])\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
            "try:\n    memory.add(talk, [Turn('speaker', 'x' * 3_000_000)])\n"
            "except BuddyError as error:\n    print(talk, error)\n"
        )
        done = subprocess.run([sys.executable, "-c", program, url], capture_output=True, text=True, check=True)
        talk, _, sentence = done.stdout.partition(" ")
        assert "What was kept before is still there." in sentence
        assert "xxx" not in done.stdout + done.stderr
        with open_memory(url) as memory:
            assert said(memory, talk) == ["kept"]
            memory.add(talk, [SPEAKER])

    def test_a_server_that_holds_a_row_is_not_waited_for_without_end(self, postgres, monkeypatch):
        monkeypatch.setattr(memory_postgres, "PATIENCE_SECONDS", 0.5)
        with open_memory(postgres) as memory:
            talk = memory.begin().id
            with memory._database.writing() as connection:
                connection.execute(update(ConversationRow).where(ConversationRow.id == talk).values(turns=0))
                with pytest.raises(EnvironmentFault, match="written by another program"):
                    memory.add(talk, [SPEAKER])
            memory.add(talk, [SPEAKER])
            memory.erase(talk)

    def test_a_server_out_of_reach_is_not_waited_for_without_end(self, postgres):
        with open_memory(postgres) as memory, memory._database.reading() as connection:
            server = connection.connection.dbapi_connection
            assert server
            told = server.info.get_parameters()
            assert told["tcp_user_timeout"] == "10000"
            idle, interval, count = (int(told[f"keepalives_{name}"]) for name in ("idle", "interval", "count"))
            assert idle + interval * count == 10

    def test_what_is_no_memory_is_refused(self, tmp_path):
        (tmp_path / "text.sqlite3").write_text("no database at all, but long enough to be looked at" * 100)
        for url in (f"sqlite:///{tmp_path / 'text.sqlite3'}", "mysql://a/b", "nonsense", "sqlite://"):
            with pytest.raises(BuddyError):
                open_memory(url)

    def test_a_memory_of_a_newer_buddy_is_refused(self, tmp_path):
        import sqlite3

        url = f"sqlite:///{tmp_path / 'm.sqlite3'}"
        open_memory(url).close()
        with sqlite3.connect(tmp_path / "m.sqlite3") as connection:
            connection.execute("UPDATE buddy_version SET version_num = '0999'")
        with pytest.raises(UserMistake, match="newer buddy"):
            open_memory(url)

    def test_a_defect_quotes_nothing_that_was_said(self, tmp_path):
        with open_memory(f"sqlite:///{tmp_path / 'm.sqlite3'}") as memory:
            talk = memory.begin().id
            with pytest.raises(RuntimeError) as caught:
                memory.add(talk, [replace(SPEAKER, role=None)])  # type: ignore[arg-type]
            assert SECRET not in str(caught.value)
            assert memory.turns(talk) == []


def test_looking_for_a_memory_begins_none(tmp_path, monkeypatch):
    monkeypatch.setenv("BUDDY_DATA_HOME", str(tmp_path / "data"))
    file = tmp_path / "other" / "m.sqlite3"
    assert open_existing_memory() is None
    assert open_existing_memory(f"sqlite:///{file}") is None
    assert list(tmp_path.iterdir()) == []
    open_memory(f"sqlite:///{file}").close()
    found = open_existing_memory(f"sqlite:///{file}")
    assert found
    found.close()


def test_files_are_for_their_owner_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("BUDDY_DATA_HOME", str(tmp_path / "data"))
    with open_memory() as memory:
        memory.begin()
        assert default_path().parent.stat().st_mode & 0o777 == 0o700
        assert all(file.stat().st_mode & 0o077 == 0 for file in default_path().parent.iterdir())
