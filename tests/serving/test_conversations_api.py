"""Remembered conversations over HTTP: they go on, are exported and erased, and nobody else sees them."""

import resource
import signal
import sqlite3

import httpx
import pytest

from buddy.serving.service_settings import ServiceSettings
from tests.postgres import postgres_server
from tests.serving.servers import served

CAT = "I lost my cat last week and I miss her so much."


def begin(client):
    response = client.post("/v1/conversations")
    assert response.status_code == 201
    return f"/v1/conversations/{response.json()['id']}"


def say(client, talk, content, **more):
    return client.post(f"{talk}/messages", json={"content": content, **more})


def test_a_conversation_goes_on_and_is_remembered(clients):
    client = clients[0]
    talk = begin(client)
    first = say(client, talk, CAT).json()
    assert first["buddy"]["emotion"]["label"] in ("sad", "devastated")
    second = say(client, talk, "How do I feel?").json()
    assert second["buddy"]["kind"] == "feeling"
    assert second["buddy"]["emotion"]["label"] == first["buddy"]["emotion"]["label"]  # read from what was told before
    (kept,) = client.get(talk).json()["conversations"]
    assert [turn["role"] for turn in kept["turns"]] == ["speaker", "listener"] * 2
    assert [turn["text"] for turn in kept["turns"]] == [
        CAT, first["choices"][0]["message"]["content"],
        "How do I feel?", second["choices"][0]["message"]["content"],
    ]  # fmt: skip
    listed = client.get("/v1/conversations").json()["data"]
    assert [one["turns"] for one in listed if talk.endswith(one["id"])] == [4]


def test_a_streamed_reply_is_kept_whole(clients):
    client = clients[0]
    talk = begin(client)
    with client.stream("POST", f"{talk}/messages", json={"content": CAT, "stream": True}) as response:
        events = [line for line in response.iter_lines() if line]
    assert events[-1] == "data: [DONE]"
    assert len(client.get(talk).json()["conversations"][0]["turns"]) == 2


def test_a_client_that_leaves_a_stream_keeps_a_talk_that_can_go_on(clients):
    client = clients[0]
    talk = begin(client)
    with client.stream("POST", f"{talk}/messages", json={"content": CAT, "stream": True}) as response:
        next(response.iter_lines())
    for _ in range(100):
        again = say(client, talk, "Are you there?")
        if again.status_code != 409:
            break
    assert again.status_code == 200
    roles = [turn["role"] for turn in client.get(talk).json()["conversations"][0]["turns"]]
    assert roles == ["speaker", "listener"] * 2


def test_the_mood_of_a_conversation(clients):
    client = clients[0]
    talk = begin(client)
    say(client, talk, CAT)
    say(client, talk, "I want to kill myself")
    mood = client.get(f"{talk}/mood").json()
    assert [message["crisis"] for message in mood["messages"]] == [False, True]
    assert mood["messages"][0]["valence"] < 0
    assert mood["valence"] < 0
    assert mood["summary"]


def test_nobody_else_sees_a_conversation_or_learns_that_it_exists(clients):
    mine, other = clients
    talk = begin(mine)
    say(mine, talk, CAT)
    never = "/v1/conversations/" + "0" * 32
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/mood"), ("POST", "/messages")):
        answers = []
        for where in (talk, never):
            body = {"json": {"content": "hi"}} if method == "POST" else {}
            found = other.request(method, f"{where}{path}", **body)
            answers.append((found.status_code, found.json()))
        assert answers[0] == answers[1]
        assert answers[0][0] == 404
    assert talk.rsplit("/", 1)[1] not in other.get("/v1/conversations").text
    assert CAT not in other.get("/v1/export").text
    assert other.delete("/v1/conversations").status_code == 200
    assert len(mine.get(talk).json()["conversations"][0]["turns"]) == 2


def test_what_is_erased_is_gone(clients):
    client = clients[1]
    talks = [begin(client) for _ in range(3)]
    for talk in talks:
        say(client, talk, CAT)
    assert client.delete(talks[0]).status_code == 204
    assert client.get(talks[0]).status_code == 404
    assert len(client.get("/v1/export").json()["conversations"]) == 2
    assert client.delete("/v1/conversations").json() == {"erased": 2}
    assert client.get("/v1/conversations").json()["data"] == []


def test_without_keys_a_browser_session_owns_its_talks(tmp_path):
    file = tmp_path / "memory.sqlite3"
    with (
        served(ServiceSettings(memory=f"sqlite:///{file}")) as service,
        httpx.Client(base_url=service.url) as mine,
        httpx.Client(base_url=service.url) as other,
    ):
        talk = begin(mine)
        assert "HttpOnly" in httpx.post(f"{service.url}/v1/conversations").headers["set-cookie"]
        assert say(mine, talk, CAT).status_code == 200
        assert other.get(talk).status_code == 404
        assert other.get(talk, headers={"Cookie": "buddy_session=" + "x" * 40}).status_code == 404
        assert mine.get(talk).status_code == 200
    owners = {row[0] for row in sqlite3.connect(file).execute("SELECT owner FROM conversations")}
    assert all(owner.startswith("session:") for owner in owners)


def test_a_database_that_cannot_be_used_is_told_and_tried_again(tmp_path, caplog):
    folder = tmp_path / "data"
    folder.mkdir()
    with (
        served(ServiceSettings(memory=f"sqlite:///{folder / 'memory.sqlite3'}")) as service,
        httpx.Client(base_url=service.url) as client,
    ):
        talk = begin(client)
        with sqlite3.connect(folder / "memory.sqlite3") as locked:
            locked.execute("ALTER TABLE turns RENAME TO lost")
        found = say(client, talk, CAT)
        assert found.status_code >= 500
        assert CAT not in found.text
        with sqlite3.connect(folder / "memory.sqlite3") as locked:
            locked.execute("ALTER TABLE lost RENAME TO turns")
        assert say(client, talk, CAT).status_code == 200
    assert CAT not in caplog.text


@pytest.mark.parametrize("name", ["x", "Z" * 32, "..%2f" * 5])
def test_names_that_are_none(clients, name):
    assert clients[0].get(f"/v1/conversations/{name}").status_code in (404, 422)


@pytest.mark.slow
def test_a_restart_of_postgresql_loses_nothing_that_was_acknowledged(tmp_path_factory):
    with (
        postgres_server(tmp_path_factory.mktemp("postgres")) as server,
        served(ServiceSettings(memory=server.url)) as service,
        httpx.Client(base_url=service.url, timeout=30) as client,
    ):
        talk = begin(client)
        assert say(client, talk, CAT).status_code == 200
        server.stop()
        down = say(client, talk, "Are you there?")
        assert down.status_code == 503
        assert down.headers["retry-after"]
        assert client.post("/v1/emotions", json={"input": CAT}).status_code == 200
        server.start()
        assert say(client, talk, "Are you there again?").status_code == 200
        turns = client.get(talk).json()["conversations"][0]["turns"]
        assert [turn["text"] for turn in turns[::2]] == [CAT, "Are you there again?"]
        assert client.delete(talk).status_code == 204


@pytest.mark.slow
def test_a_full_disk_is_told_and_what_was_acknowledged_stays(tmp_path, monkeypatch):
    with (
        served(ServiceSettings(memory=f"sqlite:///{tmp_path / 'memory.sqlite3'}")) as service,
        httpx.Client(base_url=service.url, timeout=30) as client,
    ):
        talk = begin(client)
        assert say(client, talk, CAT).status_code == 200
        limit = resource.getrlimit(resource.RLIMIT_FSIZE)
        hearing = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1, limit[1]))  # no file may grow: as on a full disk
        try:
            full = say(client, talk, "Is there room?")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limit)
            signal.signal(signal.SIGXFSZ, hearing)
        assert full.status_code == 503
        assert "room" not in full.text
        assert say(client, talk, "And now?").status_code == 200
        turns = client.get(talk).json()["conversations"][0]["turns"]
        assert [turn["text"] for turn in turns[::2]] == [CAT, "And now?"]
