"""`buddy serve` as a process: how it starts, stops, and survives the death of a worker."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from multiprocessing import Pipe
from pathlib import Path

import httpx
import pytest

from buddy.companion.buddy import shipped_model
from buddy.companion.safety import Guard
from buddy.companion.second_reader import second_reader
from buddy.errors import EnvironmentFault
from buddy.serving.app import create_app
from buddy.serving.run_service import _ask_once, try_model
from buddy.serving.service_settings import ServiceSettings
from tests.serving.servers import free_port, service_process

ASKED = {"model": "buddy", "messages": [{"role": "user", "content": "I lost my cat last week and I miss her so much."}]}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends signals")


def test_it_says_where_it_is_and_what_it_keeps(tmp_path):
    with service_process(log=tmp_path / "log") as service:
        said = service.log.read_text()
        assert f"http://127.0.0.1:{service.port}" in said
        assert "Nothing is remembered" in said
        assert "buddy" in httpx.get(service.url).text
        assert httpx.post(f"{service.url}/v1/chat/completions", json=ASKED).status_code == 200
        _assert_that_what_computes_gives_way(service.process.pid)
        assert service.stop() in (0, -signal.SIGTERM)
        assert "cat" not in service.log.read_text()


def _assert_that_what_computes_gives_way(pid):
    """The threads of the models wait for the server's loop, which answers at once even where all cores compute."""
    if sys.platform != "linux":
        return
    priorities = {
        task.name: os.getpriority(os.PRIO_PROCESS, int(task.name)) for task in Path(f"/proc/{pid}/task").iterdir()
    }
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    assert priorities.pop(str(pid)) == usual  # the thread of the loop
    assert max(priorities.values()) > usual


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere all threads have one priority")
def test_what_reads_messages_for_danger_does_not_give_way(monkeypatch):
    priorities = []

    def reader():
        priorities.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return second_reader()

    monkeypatch.setattr("buddy.companion.safety.second_reader", reader)
    create_app(ServiceSettings())
    assert priorities[0] == os.getpriority(os.PRIO_PROCESS, 0)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--host", "0.0.0.0"], "can be reached from other machines"),
        (["--host", "buddy.example"], "can be reached from other machines"),
        (["--host", "192.0.2.1", "--without-keys"], "name another with --host"),  # of no machine (RFC 5737)
        (["--keys-file", "nowhere.txt"], "keys"),
        (["--model", "nowhere"], "nowhere"),
        (["--country", "XX"], "helplines"),
        (["--memory-url", "foo"], "'foo' is no URL of a database"),
        (["--forget-after", "9"], "--forget-after is about a memory; it goes with --memory-url"),
        (["--replicas", "4"], "--replicas is about a cluster; it goes with --engine ray"),
        (["--engine", "ray", "--log-requests"], "--log-requests is for --engine local"),
        (["--engine", "ray", "--memory-url", "sqlite:///talks.db"], "a database that all nodes reach"),
    ],
)
def test_it_refuses_to_start(buddy, monkeypatch, arguments, says):
    for name in ("BUDDY_API_KEYS", "BUDDY_MEMORY_URL"):
        monkeypatch.delenv(name, raising=False)
    code, _, error = buddy("serve", *arguments)
    assert code == 2
    assert says in error


def test_a_host_that_has_no_address_is_not_blamed_on_the_port(buddy, monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    code, _, error = buddy("serve", "--host", "nowhere", "--without-keys")
    assert code == 2
    assert "name another with --host" in error


def test_without_the_model_that_ships_it_says_so_and_takes_no_folder_of_its_name(
    buddy, monkeypatch, exported_run, tmp_path
):
    shutil.copytree(exported_run, tmp_path / "companion")
    monkeypatch.setattr("buddy.companion.buddy.find_model", lambda name: tmp_path / "nowhere" / name)
    code, _, error = buddy("serve")
    assert code == 2
    assert error.startswith("buddy: The model that comes with buddy is missing from this installation;")


def test_a_port_that_is_taken_is_told_before_it_says_that_it_is_there(buddy):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        code, _, error = buddy("serve", "--port", port)
    assert (code, error) == (
        2,
        f"buddy: Port {port} of 127.0.0.1 cannot be used: Address already in use; name another with --port.\n",
    )


def test_one_worker_is_one_process_and_leaves_nothing_behind(tmp_path):
    folder = tmp_path / "temporary"
    folder.mkdir()
    environment = {"WEB_CONCURRENCY": "2", "TMPDIR": str(folder)}
    with service_process("--workers", "1", log=tmp_path / "log", environment=environment) as service:
        assert not _children(service.process.pid)
        service.stop()
    assert not list(folder.iterdir())


def test_a_model_that_cannot_be_loaded_is_told_before_workers_try_it_for_ever(buddy, tmp_path):
    model = shutil.copytree(shipped_model(), tmp_path / "damaged")
    (model / "model.bin").write_bytes(b"")
    code, _, error = buddy("serve", "--port", free_port(), "--workers", "2", "--model", model)
    assert code == 2
    assert error.startswith(f"buddy: The weights in {model} cannot be loaded")


def test_whatever_a_model_or_the_guard_raises_is_told_as_well(monkeypatch):
    def fail(_):
        raise ValueError("no head")

    monkeypatch.setattr(Guard, "get_ready", fail)
    outcome, telling = Pipe(duplex=False)
    _ask_once(shipped_model(), True, telling)
    assert str(outcome.recv()) == "A model cannot be used: ValueError: no head"


def _die(*_):
    os.kill(os.getpid(), signal.SIGKILL)  # as Linux does where memory runs out


def test_a_model_that_its_process_dies_of_is_told_too(monkeypatch, tmp_path):
    monkeypatch.setattr("buddy.serving.run_service._ask_once", _die)
    with pytest.raises(EnvironmentFault, match="has died; is there memory enough"):
        try_model(tmp_path, guard=False)


def test_a_stream_that_runs_ends_before_the_service_does(tmp_path):
    with service_process("--candidates", "1", log=tmp_path / "log") as service:
        with httpx.stream(
            "POST", f"{service.url}/v1/chat/completions", json={**ASKED, "stream": True, "n": 8}
        ) as stream:
            lines = stream.iter_lines()
            next(lines)
            service.process.send_signal(signal.SIGTERM)
            rest = [line for line in lines if line]
        assert rest[-1] == "data: [DONE]"
        assert sum('"finish_reason":"stop"' in line or '"finish_reason":"length"' in line for line in rest) == 8
        service.process.wait(15)
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{service.url}/health", timeout=2)


def test_a_worker_that_is_killed_is_replaced_and_nothing_acknowledged_is_lost(tmp_path):
    memory = f"sqlite:///{tmp_path / 'memory.sqlite3'}"
    with service_process("--workers", "2", "--memory-url", memory, log=tmp_path / "log") as service:
        statuses: Counter[int] = Counter()
        acknowledged: dict[str, int] = {}
        stop = threading.Event()

        def talk_once(client: httpx.Client) -> None:
            begun = client.post("/v1/conversations")
            if begun.status_code != 201:
                return
            name = begun.json()["id"]
            acknowledged[name] = 0
            said = client.post(f"/v1/conversations/{name}/messages", json={"content": "I lost my cat."})
            statuses[said.status_code] += 1
            if said.status_code == 200:
                acknowledged[name] = 2
            kept = client.get(f"/v1/conversations/{name}").json()["conversations"][0]["turns"]
            assert len(kept) >= acknowledged[name]

        def talk() -> None:
            with httpx.Client(base_url=service.url, timeout=30) as client:
                while not stop.is_set():
                    broke_off = False
                    with contextlib.suppress(httpx.TransportError):
                        broke_off = True
                        talk_once(client)
                        broke_off = False
                    statuses[0] += broke_off

        threads = [threading.Thread(target=talk) for _ in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(1.5)
        workers = _children(service.process.pid)
        os.kill(workers[0], signal.SIGKILL)
        _wait_for_another(service.process.pid, workers[0], statuses)
        stop.set()
        for thread in threads:
            thread.join(30)
        replaced = _children(service.process.pid)
        assert workers[0] not in replaced
        assert len(replaced) >= 2
        service.wait_until_ready()
        assert set(statuses) <= {0, 200, 503}
        assert statuses[200] > 10
        assert statuses[0] <= 8  # what ran in the worker that died
        asking = 'buddy_requests_total{route="/v1/conversations"'
        assert asking in httpx.get(f"{service.url}/metrics").text
    from buddy.companion.memory import open_memory

    with open_memory(memory) as kept:
        import sqlalchemy

        with kept._database.reading() as connection:
            counted = connection.execute(sqlalchemy.text("SELECT conversation, count(*) FROM turns GROUP BY 1"))
            found = {conversation: int(turns) for conversation, turns in counted}
    assert all(found.get(name, 0) >= number for name, number in acknowledged.items())
    assert sum(acknowledged.values()) > 20


def _wait_for_another(service: int, killed: int, statuses: Counter[int]) -> None:
    """Wait until a worker has taken the place of one that was killed, and more requests were answered."""
    answered, deadline = statuses[200], time.monotonic() + 30
    while killed in (now := _children(service)) or len(now) < 2 or statuses[200] < answered + 10:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _children(parent: int) -> list[int]:
    """Give the worker processes: children that have loaded the application."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rsplit(")", 1)[1].split()
            command = status.with_name("cmdline").read_text()
        except OSError:
            continue
        if int(fields[1]) == parent and "spawn_main" in command:
            found.append(int(status.parent.name))
    return sorted(found)


def test_without_the_extra_it_says_what_to_install(tmp_path):
    code = (
        "import sys; sys.modules['fastapi'] = None; sys.modules['uvicorn'] = None; from buddy.cli import main; "
        "sys.argv = ['buddy', 'serve']; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "pip install --constraint constraints.txt '.[serve]'" in done.stderr
