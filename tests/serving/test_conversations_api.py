"""Remembered conversations over HTTP: they go on, are exported and erased, and nobody else sees them."""

import asyncio
import contextlib
import json
import resource
import signal
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

import httpx
import pytest

from buddy.companion.buddy import Answer, Buddy
from buddy.companion.conversation import Turn
from buddy.companion.memory import Memory
from buddy.companion.memory_database import TracesRemain
from buddy.companion.safety import NO_CONCERN
from buddy.companion.talk import UNSAID
from buddy.errors import EnvironmentFault, UserMistake
from buddy.serving import conversations_api
from buddy.serving.app import create_app
from buddy.serving.queues import Busy, Turnstile
from buddy.serving.service_settings import Limits, ServiceSettings
from tests.postgres import postgres_server
from tests.serving.servers import served

CAT = "I lost my cat last week and I miss her so much."
CRISIS = "I want to kill myself tonight"
PLACE = "buddy on db.example"


def begin(client):
    response = client.post("/v1/conversations")
    assert response.status_code == 201
    return f"/v1/conversations/{response.json()['id']}"


def say(client, talk, content, **more):
    return client.post(f"{talk}/messages", json={"content": content, **more})


def text_of(response):
    """Give what was said, whole or in a stream."""
    if response.headers["content-type"] == "application/json":
        return response.json()["choices"][0]["message"]["content"]
    events = [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: {")]
    assert "data: [DONE]" in response.text
    return "".join(event["choices"][0]["delta"].get("content", "") for event in events)


def texts(client, talk):
    return [turn["text"] for turn in client.get(talk).json()["conversations"][0]["turns"]]


@pytest.fixture
def make_service(tmp_path):
    """Serve with a memory, and a client that has a session."""
    with contextlib.ExitStack() as stack:

        def make(**changes):
            url = f"sqlite:///{tmp_path / 'memory.sqlite3'}"
            service = stack.enter_context(served(ServiceSettings(country="US", memory=url, **changes)))
            return stack.enter_context(httpx.Client(base_url=service.url, timeout=30))

        yield make


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


class TestTheDaysOfAMood:
    @pytest.fixture
    def mood(self, clients, monkeypatch):
        """Ask for the mood of a message that was said late in the evening in London."""
        said_at = datetime(2026, 1, 10, 23, 30, tzinfo=timezone.utc)
        monkeypatch.setattr(Memory, "turns", lambda *_: [Turn("speaker", CAT, said_at, {"sad": 1.0})])
        return lambda **asked: clients[0].get(f"/v1/conversations/{'0' * 32}/mood", params=asked)

    @pytest.mark.parametrize(("zone", "day"), [("Europe/London", "10 January"), ("Asia/Tokyo", "11 January")])
    def test_are_those_of_a_time_zone(self, mood, zone, day):
        found = mood(timezone=zone).json()
        assert day in found["summary"]
        assert found["timezone"] == zone

    def test_are_else_those_of_the_machine(self, mood):
        assert mood().json()["timezone"] == datetime.now().astimezone().tzname()

    @pytest.mark.parametrize("zone", ["", "Mars/Base", "America", "../Berlin", "/etc/passwd", "\0", "x" * 65])
    def test_of_no_time_zone_are_refused(self, mood, zone):
        found = mood(timezone=zone)
        assert found.status_code == (422 if len(zone) > 64 else 400)
        assert found.json()["error"]["param"].endswith("timezone")


def test_what_takes_long_is_not_computed_in_the_loop(clients, monkeypatch):
    in_loop: dict[str, bool] = {}

    def watch(owner, name):
        work = getattr(owner, name)

        def watched(*arguments):
            in_loop[name] = in_loop.get(name, False) or asyncio._get_running_loop() is not None
            return work(*arguments)

        monkeypatch.setattr(owner, name, watched)

    watch(Buddy, "count_tokens")
    watch(conversations_api, "course")
    client = clients[0]
    talk = begin(client)
    assert say(client, talk, CAT).status_code == 200
    asked = {"model": "buddy", "messages": [{"role": "user", "content": CAT}]}
    assert client.post("/v1/chat/completions", json=asked).status_code == 200
    assert client.get(f"{talk}/mood").status_code == 200
    assert in_loop == {"count_tokens": False, "course": False}


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
        assert ("call 999 now" in str(answers[0])) is (method == "POST")
    assert talk.rsplit("/", 1)[1] not in other.get("/v1/conversations").text
    assert CAT not in other.get("/v1/export").text
    assert other.delete("/v1/conversations").status_code == 200
    assert len(mine.get(talk).json()["conversations"][0]["turns"]) == 2


@pytest.mark.parametrize("stream", [False, True])
def test_a_crisis_is_answered_where_the_conversation_is_gone(clients, stream, caplog):
    client = clients[0]
    talk = begin(client)
    assert client.delete(talk).status_code == 204
    found = say(client, talk, CRISIS, stream=stream)
    assert found.status_code == 200
    assert "999" in text_of(found)
    assert client.get(talk).status_code == 404
    assert "tonight" not in caplog.text


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


class TestAMemoryThatFails:
    @pytest.fixture(params=[EnvironmentFault, UserMistake, RuntimeError])
    def fail(self, request, monkeypatch):
        def raise_it(*_, **__):
            raise request.param(f"{PLACE} does not let this user in.")

        return lambda *names: [monkeypatch.setattr(Memory, name, raise_it) for name in names]

    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize("names", [("turns", "add"), ("add",)])
    def test_takes_nothing_from_a_crisis(self, make_service, fail, caplog, names, stream):
        client = make_service()
        talk = begin(client)
        fail(*names)
        found = say(client, talk, CRISIS, stream=stream)
        assert found.status_code == 200
        assert "988" in text_of(found)
        assert "kept" in caplog.text
        assert "tonight" not in caplog.text
        assert say(client, talk, CRISIS).status_code == 200  # nobody writes in it any more

    @pytest.mark.parametrize("name", ["turns", "add"])
    def test_is_told_of_any_other_message_with_the_number_that_helps(self, make_service, fail, caplog, name):
        client = make_service()
        talk = begin(client)
        fail(name)
        found = say(client, talk, CAT)
        assert found.status_code in (500, 503)
        assert PLACE not in found.text
        if found.status_code == 503:
            assert found.json()["error"]["code"] == "memory_unavailable"
            assert found.headers["retry-after"]
            assert "call 911 now" in found.text
            assert PLACE in caplog.text
        assert CAT not in caplog.text

    def test_breaks_a_stream_off_with_the_number_that_helps(self, make_service, monkeypatch, caplog):
        client = make_service()
        talk = begin(client)
        add = Memory.add

        def add_speaker(self, conversation, turns, after):
            if turns[-1].role == "listener":
                raise EnvironmentFault(f"{PLACE} has no room")
            add(self, conversation, turns, after)

        monkeypatch.setattr(Memory, "add", add_speaker)
        found = say(client, talk, CAT, stream=True)
        assert "[DONE]" not in found.text
        assert "The reply broke off. If a life is in danger, call 911 now." in found.text
        assert f"request {found.headers['x-request-id']} broke off: EnvironmentFault" in caplog.text
        assert "buddy_broken_off_total 1.0" in client.get("/metrics").text

    def test_does_not_end_the_daily_forgetting(self, make_service, monkeypatch, caplog):
        asked = []

        def forget(_, days):
            asked.append(days)
            raise [UserMistake("no such user"), ValueError(CAT), EnvironmentFault("no room")][len(asked) % 3]

        monkeypatch.setattr(Memory, "forget_older_than", forget)
        monkeypatch.setattr("buddy.serving.app.HOUR_SECONDS", 0.02)
        make_service(forget_after_days=7)
        _wait_until(lambda: len(asked) > 3)
        assert "no such user" in caplog.text
        assert "ValueError" in caplog.text
        assert CAT not in caplog.text


class TestASlowMemory:
    @pytest.fixture
    def slow(self, monkeypatch):
        """Let the memory work only once it may."""
        may = threading.Event()

        def wait_in(name):
            work = getattr(Memory, name)

            def waiting(*arguments, **named):
                may.wait(20)
                return work(*arguments, **named)

            monkeypatch.setattr(Memory, name, waiting)

        may.slow_down = wait_in  # type: ignore[attr-defined]
        yield may
        may.set()

    @pytest.mark.parametrize("name", ["turns", "add"])
    @pytest.mark.parametrize("stream", [False, True])
    def test_keeps_a_crisis_not_waiting_which_is_kept_all_the_same(self, make_service, slow, name, stream):
        client = make_service()
        talk = begin(client)
        slow.slow_down(name)
        started = time.monotonic()
        found = say(client, talk, CRISIS, stream=stream)
        assert time.monotonic() - started < 10
        assert "988" in text_of(found)
        busy = say(client, talk, CAT)
        assert busy.status_code == 409  # until it is kept
        assert "call 911 now" in busy.text
        slow.set()
        _wait_until(lambda: texts(client, talk) == [CRISIS, text_of(found)])
        _wait_until(lambda: say(client, talk, CAT).status_code == 200)

    def test_keeps_only_those_waiting_who_ask_for_it(self, make_service, slow):
        client = make_service(limits=Limits(memory_at_once=1, waiting_for_memory=1))
        talk = begin(client)
        slow.slow_down("conversations")
        with ThreadPoolExecutor() as threads:
            waiting = [threads.submit(client.get, "/v1/conversations") for _ in range(2)]
            _wait_until(lambda: "buddy_requests_running 3.0" in client.get("/metrics").text)
            refused = client.get("/v1/conversations")
            assert refused.status_code == 503
            assert refused.headers["retry-after"]
            assert "988" in text_of(say(client, talk, CRISIS))
            assert client.get("/page/page.js").status_code == 200
            slow.set()
            assert [one.result().status_code for one in waiting] == [200, 200]

    def test_does_not_stop_the_whole_service_while_an_answer_is_kept(self, make_service, slow, monkeypatch):
        client = make_service()
        talk = begin(client)
        keeping = threading.Event()
        add = Memory.add

        def add_slowly(self, conversation, turns, after):
            if turns[-1].role == "listener":
                keeping.set()
                slow.wait(20)
            add(self, conversation, turns, after)

        monkeypatch.setattr(Memory, "add", add_slowly)
        with ThreadPoolExecutor() as threads:
            waiting = threads.submit(say, client, talk, "How do I feel?")
            assert keeping.wait(10)
            assert client.get("/health", timeout=5).status_code == 200
            slow.set()
            assert waiting.result().status_code == 200
        assert len(texts(client, talk)) == 2


def _wait_until(holds):
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_list_comes_in_pieces(make_service):
    client = make_service()
    assert client.get("/v1/conversations").json() == {
        "object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False
    }  # fmt: skip
    begun = [begin(client).rsplit("/", 1)[1] for _ in range(25)]
    first = client.get("/v1/conversations").json()
    assert (len(first["data"]), first["has_more"]) == (20, True)
    rest = client.get("/v1/conversations", params={"limit": 100, "after": first["last_id"]}).json()
    assert (len(rest["data"]), rest["has_more"]) == (5, False)
    assert [one["id"] for one in first["data"] + rest["data"]] == begun[::-1]
    assert client.get("/v1/conversations", params={"after": "0" * 32}).status_code == 404
    assert client.get("/v1/conversations", params={"limit": 1000}).status_code == 422


@pytest.mark.parametrize("stream", [False, True])
def test_of_a_reply_that_is_cut_is_kept_what_was_said(clients, stream):
    whole = text_of(say(clients[0], begin(clients[0]), CAT, seed=2))
    for cut in ({"max_tokens": 3}, {"stop": whole[1:3]}):  # in the middle of a word
        talk = begin(clients[0])
        said = text_of(say(clients[0], talk, CAT, stream=stream, seed=2, **cut))
        assert len(said) < len(whole)
        assert texts(clients[0], talk) == [CAT, said.strip()]


def test_who_cannot_see_a_conversation_does_not_learn_that_somebody_writes_in_it(clients, monkeypatch):
    talk = begin(clients[0])
    keeping, may = threading.Event(), threading.Event()
    add = Memory.add

    def add_slowly(*given, **named):
        keeping.set()
        may.wait(20)
        add(*given, **named)

    monkeypatch.setattr(Memory, "add", add_slowly)
    with ThreadPoolExecutor() as threads:
        writing = threads.submit(say, clients[0], talk, CAT)
        assert keeping.wait(10)
        assert say(clients[1], talk, CAT).status_code == 404
        busy = say(clients[0], talk, CAT)
        assert busy.status_code == 409
        assert "call 999 now" in busy.text
        may.set()
        assert writing.result().status_code == 200


class TestAMessageThatWaitedTooLong:
    @pytest.fixture
    def talk(self, make_service, monkeypatch):
        """Begin a conversation with a message that gets no reply; give the client, too."""
        client = make_service()
        talk = begin(client)

        def give_up(*_):
            raise Busy

        def refuse(content, **more):
            with monkeypatch.context() as patch:
                patch.setattr(Turnstile, "pieces", give_up)
                return say(client, talk, content, **more)

        return client, talk, refuse

    @pytest.mark.parametrize("stream", [False, True])
    def test_is_kept_once_however_often_it_is_sent(self, talk, stream):
        client, place, refuse = talk
        for _ in range(2):
            refused = refuse(CAT, stream=stream)
            assert refused.status_code == (200 if stream else 503)
            assert "All places are taken; try again." in refused.text
        assert texts(client, place) == [CAT]
        said = text_of(say(client, place, CAT, stream=stream))
        assert texts(client, place) == [CAT, said]

    @pytest.mark.parametrize("other", ["Are you there?", CRISIS])
    def test_stays_unanswered_where_another_comes_behind_it(self, talk, other):
        client, place, refuse = talk
        refuse(CAT)
        said = text_of(say(client, place, other))
        assert texts(client, place) == [CAT, UNSAID, other, said]

    def test_is_answered_in_a_crisis(self, talk):
        client, place, refuse = talk
        refuse(CAT)
        found = refuse(CRISIS)
        assert found.status_code == 200
        assert "988" in text_of(found)
        assert texts(client, place) == [CAT, UNSAID, CRISIS, text_of(found)]


@pytest.mark.parametrize("stream", [False, True])
def test_a_reply_without_words_is_one(make_service, monkeypatch, stream):
    client = make_service()
    talk = begin(client)
    monkeypatch.setattr(Buddy, "answer", lambda *_: Answer("talk", None, NO_CONCERN, iter(())))
    for _ in range(2):
        assert text_of(say(client, talk, CAT, stream=stream)) == ""
    assert texts(client, talk) == [CAT, UNSAID] * 2


@pytest.mark.parametrize("stream", [False, True])
def test_two_workers_that_answer_one_conversation_do_not_mix_or_double_turns(tmp_path, monkeypatch, stream):
    settings = ServiceSettings(country="US", memory=f"sqlite:///{tmp_path / 'memory.sqlite3'}")
    writing, may = threading.Event(), threading.Event()

    def write():
        writing.set()
        may.wait(20)
        yield "I am here."

    with (
        served(settings) as one,
        served(settings) as other,
        httpx.Client(base_url=one.url, timeout=30) as client,
        ThreadPoolExecutor() as threads,
    ):
        talk = begin(client)
        with monkeypatch.context() as patch:
            patch.setattr(Buddy, "answer", lambda *_: Answer("talk", None, NO_CONCERN, write()))
            first = threads.submit(say, client, talk, CAT, stream=stream)
            assert writing.wait(10)
        with httpx.Client(base_url=other.url, timeout=30, cookies=dict(client.cookies)) as behind:
            said = text_of(say(behind, talk, "And it rains."))
        may.set()
        overtaken = first.result()
        assert ("The reply broke off." if stream else "Somebody else has gone on") in overtaken.text
        assert overtaken.status_code == (200 if stream else 409)
        assert texts(client, talk) == [CAT, UNSAID, "And it rains.", said]


@pytest.mark.parametrize("stream", [False, True])
def test_a_crisis_is_answered_while_another_request_writes(make_service, monkeypatch, stream):
    client = make_service()
    talk = begin(client)
    writing, may = threading.Event(), threading.Event()

    def write():
        writing.set()
        may.wait(20)
        yield "I am here."

    with ThreadPoolExecutor() as threads, monkeypatch.context() as patch:
        patch.setattr(Buddy, "answer", lambda *_: Answer("talk", None, NO_CONCERN, write()))
        first = threads.submit(say, client, talk, CAT)
        assert writing.wait(10)
        patch.undo()
        assert say(client, talk, CAT).status_code == 409
        found = say(client, talk, CRISIS, stream=stream)
        assert found.status_code == 200
        assert "988" in text_of(found)
        assert say(client, talk, CAT).status_code == 409  # the first request still writes
        may.set()
        assert first.result().status_code == 200
    assert texts(client, talk) == [CAT, "I am here."]


def test_what_is_deleted_and_has_left_traces_is_told(make_service, monkeypatch, caplog):
    client = make_service()
    erase, erase_all = Memory.erase, Memory.erase_all

    def leaves_traces(work):
        def erased(*given):
            work(*given)
            raise TracesRemain(f"It is deleted, but traces of it remain in the files of {PLACE}.")

        return erased

    monkeypatch.setattr(Memory, "erase", leaves_traces(erase))
    monkeypatch.setattr(Memory, "erase_all", leaves_traces(erase_all))
    talk = begin(client)
    for where in (talk, "/v1/conversations"):
        found = client.delete(where)
        assert found.status_code == 202
        assert "It is deleted" in found.json()["message"]
        assert PLACE not in found.text
    assert client.get(talk).status_code == 404
    assert PLACE in caplog.text


def test_an_answer_whose_head_cannot_be_sent_lets_go_of_the_conversation(tmp_path):
    memory = f"sqlite:///{tmp_path / 'memory.sqlite3'}"
    app = create_app(ServiceSettings(memory=memory, limits=Limits(waiting_replies=0)))

    async def lose(message):
        raise OSError("the client is gone")

    async def lose_some(scope, receive, send):
        await app(scope, receive, lose if (b"x-lost", b"yes") in scope["headers"] else send)

    async def go():
        transport = httpx.ASGITransport(lose_some)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            talk = f"/v1/conversations/{(await client.post('/v1/conversations')).json()['id']}"
            for _ in range(4):  # more than there are places
                with contextlib.suppress(OSError, AssertionError):  # the client misses the head
                    body, headers = {"content": CAT, "stream": True}, {"X-Lost": "yes"}
                    await client.post(f"{talk}/messages", json=body, headers=headers)
                await asyncio.sleep(0.5)
            found = await client.post(f"{talk}/messages", json={"content": CAT})
            kept = (await client.get(talk)).json()["conversations"][0]["turns"]
            return found.status_code, [turn["text"] for turn in kept][:9]

    status, kept = asyncio.run(go())
    assert status == 200
    assert kept[::2] == [CAT]


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
