"""Chat completions, asked by OpenAI's own client."""

import contextlib
import json
import threading
import time
from dataclasses import dataclass, field

import httpx
import openai
import pytest

from buddy import Buddy
from buddy.companion.buddy import Answer
from buddy.companion.helplines import find_country
from buddy.companion.safety import NO_CONCERN
from buddy.inference.ctranslate2_engine import cores
from tests.serving.conftest import KEYS

LOST = [{"role": "user", "content": "I lost my cat last week and I miss her so much."}]


def ask(client, messages=LOST, **more):
    return client.chat.completions.create(model="buddy", messages=messages, **more)


def test_a_reply_comes_with_its_emotion_and_usage(client):
    found = ask(client)
    assert found.object == "chat.completion"
    assert found.choices[0].message.role == "assistant"
    assert len(found.choices[0].message.content) > 3
    assert found.choices[0].finish_reason == "stop"
    assert found.usage.total_tokens == found.usage.prompt_tokens + found.usage.completion_tokens
    assert found.usage.prompt_tokens > 5
    emotion = found.buddy["emotion"]
    here = Buddy().emotion(LOST[0]["content"])
    assert emotion["label"] == here.label
    assert [one["label"] for one in emotion["top"]] == list(here.probabilities)[:3]
    assert found.buddy["kind"] == "reply"
    assert found.buddy["safety"]["level"] == "none"


def test_a_stream_has_the_same_words_after_who_speaks(client):
    whole = ask(client, seed=5).choices[0].message.content
    chunks = list(ask(client, seed=5, stream=True, stream_options={"include_usage": True}))
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[0].buddy["emotion"]["label"]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == whole
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage.completion_tokens > 0
    assert chunks[-1].choices == []


def test_a_seed_gives_the_same_reply_and_no_seed_another(client):
    assert ask(client, seed=3).choices[0].message.content == ask(client, seed=3).choices[0].message.content
    assert len({ask(client).choices[0].message.content for _ in range(6)}) > 1


def test_several_choices_differ(client):
    found = ask(client, n=4, seed=1)
    assert [choice.index for choice in found.choices] == [0, 1, 2, 3]
    assert len({choice.message.content for choice in found.choices}) > 1
    streamed: dict[int, str] = {}
    for chunk in ask(client, n=4, seed=1, stream=True):
        for choice in chunk.choices:
            streamed[choice.index] = streamed.get(choice.index, "") + (choice.delta.content or "")
    assert [streamed[number] for number in range(4)] == [choice.message.content for choice in found.choices]


def test_all_choices_of_a_crisis_are_the_guards_which_looks_once(client, monkeypatch):
    looked = []
    answer = Buddy.answer

    def look(*given):
        looked.append(1)
        return answer(*given)

    monkeypatch.setattr(Buddy, "answer", look)
    for stream in (False, True):
        found = ask(client, [{"role": "user", "content": "I want to kill myself tonight"}], n=3, stream=stream)
        chunks = list(found) if stream else [found]
        said = {0: "", 1: "", 2: ""}
        for choice in (choice for chunk in chunks for choice in chunk.choices):
            said[choice.index] += (choice.delta.content or "") if stream else choice.message.content
        assert len(set(said.values())) == 1
        assert "988" in said[2]
    assert len(looked) == 2


def test_a_reply_is_cut_after_so_many_tokens(client):
    whole = ask(client, seed=2).choices[0].message.content
    cut = ask(client, seed=2, max_tokens=3)
    assert cut.choices[0].finish_reason == "length"
    assert cut.usage.completion_tokens <= 3
    assert whole.startswith(cut.choices[0].message.content)
    assert ask(client, seed=2, max_completion_tokens=3).choices[0].message.content == cut.choices[0].message.content


@pytest.mark.parametrize("stream", [False, True])
def test_a_reply_ends_before_a_stop_word(client, stream):
    whole = ask(client, seed=2).choices[0].message.content
    middle = whole[5:9]
    found = ask(client, seed=2, stop=["not in it at all", middle], stream=stream)
    text = "".join(c.choices[0].delta.content or "" for c in found) if stream else found.choices[0].message.content
    assert text == whole[: whole.index(middle)]


def test_no_temperature_always_says_the_same(client):
    smallest: list[dict[str, float]] = [
        {"temperature": 0},
        {"temperature": 0},
        {"temperature": 1e-300},
        {"top_p": 5e-324, "temperature": 0},
    ]
    assert len({ask(client, **how).choices[0].message.content for how in smallest}) == 1
    assert ask(client, top_p=5e-324).choices[0].message.content


@pytest.mark.parametrize("stream", [False, True])
def test_a_crisis_is_answered_by_the_guard_and_never_cut(client, stream):
    messages = [{"role": "user", "content": "I want to kill myself tonight"}]
    found = ask(client, messages, stream=stream, max_tokens=2, stop="988", n=1)
    chunks = list(found) if stream else [found]
    about = chunks[0].buddy
    text = "".join(c.choices[0].delta.content or "" for c in chunks) if stream else chunks[0].choices[0].message.content
    assert about["kind"] == "crisis"
    assert about["emotion"] is None
    assert about["safety"]["level"] == "alarm"
    assert about["safety"]["emergency"] == "911"
    assert about["safety"]["resources"][0]["number"] == "988"
    assert about["safety"]["resources"][0]["hours"] == find_country("US").lines[0].hours != ""
    assert text == Buddy(guard=_guard("US")).reply([messages[0]["content"]])
    assert "988" in text


def _guard(country):
    from buddy.companion.safety import Guard

    return Guard(country)


def test_a_question_after_ones_feeling_is_answered_by_the_classifier(client):
    found = ask(
        client, [*LOST, {"role": "assistant", "content": "Oh no."}, {"role": "user", "content": "How do I feel?"}]
    )
    assert found.buddy["kind"] == "feeling"
    assert found.buddy["emotion"]["label"] in found.choices[0].message.content


def test_the_talk_may_have_a_system_message_a_greeting_parts_and_two_messages_on_end(client):
    messages = [
        {"role": "system", "content": "You are kind."},
        {"role": "assistant", "content": "Hello!"},
        {"role": "user", "content": [{"type": "text", "text": "I lost my cat last week"}]},
        {"role": "user", "content": "and I miss her so much."},
    ]
    assert (
        ask(client, messages, temperature=0).choices[0].message.content
        == ask(client, [{"role": "user", "content": "I lost my cat last week and I miss her so much."}], temperature=0)
        .choices[0]
        .message.content
    )


class TestErrors:
    def test_of_an_unknown_model(self, client):
        with pytest.raises(openai.NotFoundError) as caught:
            client.chat.completions.create(model="gpt-9", messages=LOST)
        assert caught.value.code == "model_not_found"

    @pytest.mark.parametrize(
        "more",
        [
            {"temperature": 7},
            {"n": 99},
            {"tools": [{"type": "function", "function": {"name": "f"}}]},
            {"max_tokens": 0},
            {"response_format": {"type": "json_object"}},
            {"messages": []},
            {"messages": [{"role": "user", "content": "x" * 10_001}]},
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
        ],
    )
    def test_of_what_the_model_cannot(self, client, more):
        with pytest.raises(openai.UnprocessableEntityError) as caught:
            ask(client, **more)
        assert caught.value.type == "invalid_request_error"
        assert caught.value.param

    def test_but_not_of_what_it_can_as_it_is(self, client):
        assert ask(client, response_format={"type": "text"}).choices

    def test_of_a_talk_that_ends_with_its_own_words(self, client):
        with pytest.raises(openai.BadRequestError, match="must be of the user"):
            ask(client, [*LOST, {"role": "assistant", "content": "Oh"}])

    def test_of_a_talk_that_is_too_long(self, client):
        messages = [{"role": "user", "content": "lost " * 1_900}] * 8
        with pytest.raises(openai.APIStatusError) as caught:
            ask(client, messages)
        assert caught.value.status_code == 413
        assert "60,000" in caught.value.message

    def test_of_a_missing_or_wrong_key(self, keyed_service):
        for key in ("", "wrong-key-but-long-enough", KEYS[0] + "x"):
            client = openai.OpenAI(base_url=f"{keyed_service.url}/v1", api_key=key or "x", max_retries=0)
            with client, pytest.raises(openai.AuthenticationError):
                ask(client)
        with openai.OpenAI(base_url=f"{keyed_service.url}/v1", api_key=KEYS[1], max_retries=0) as client:
            assert ask(client).choices


def test_the_models_are_listed(client):
    assert [model.id for model in client.models.list()] == ["buddy"]
    assert client.models.retrieve("buddy").id == "buddy"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("other")


def test_a_stream_is_made_of_events_and_ends_as_one_expects(open_service):
    with httpx.stream(
        "POST", f"{open_service.url}/v1/chat/completions", json={"model": "buddy", "messages": LOST, "stream": True}
    ) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in response.iter_lines() if line]
    assert all(line.startswith("data: ") for line in lines)
    assert lines[-1] == "data: [DONE]"
    assert json.loads(lines[0][6:])["buddy"]["safety"]["emergency"] == find_country("US").emergency[0]


@dataclass
class Slow:
    """A reply of ten seconds.

    Attributes:
        looked: how many answers were begun.
        made: how many pieces were made.
        closed: whether it was stopped.
    """

    looked: int = 0
    made: int = 0
    closed: threading.Event = field(default_factory=threading.Event)

    def answer(self, *_):
        self.looked += 1
        return Answer("talk", None, NO_CONCERN, self._pieces())

    def _pieces(self):
        try:
            for _ in range(500):
                self.made += 1
                yield "and "
                time.sleep(0.02)
        finally:
            self.closed.set()


@pytest.mark.parametrize("stream", [False, True])
def read_until(response, words):
    """Give what is left of a stream; whoever lets go of it closes the connection."""
    lines = response.iter_lines()
    while words not in next(lines):
        pass
    return lines


def wait_for_inside(web, number):
    """Wait until so many replies are written or wait."""
    deadline = time.monotonic() + 5
    while f"buddy_replies_inside {number}.0" not in web.get("/metrics").text:
        assert time.monotonic() < deadline


@pytest.mark.parametrize("stream", [False, True])
def test_clients_that_vanish_leave_no_work_behind(web, monkeypatch, stream):
    slow = Slow()
    body = {"model": "buddy", "messages": LOST, "stream": stream, "n": 8}
    with monkeypatch.context() as patch:
        patch.setattr(Buddy, "answer", slow.answer)
        if stream:
            with web.stream("POST", "/v1/chat/completions", json=body) as response:
                read_until(response, "and ")
        else:
            with pytest.raises(httpx.ReadTimeout):
                web.post("/v1/chat/completions", json=body, timeout=0.5)
        assert slow.closed.wait(5)
    made = slow.made
    time.sleep(0.2)
    assert 0 < slow.made == made < 250
    assert slow.looked == 1  # of the other choices none was begun
    wait_for_inside(web, 0)
    assert web.post("/v1/chat/completions", json={"model": "buddy", "messages": LOST}).status_code == 200


def test_a_client_that_vanishes_before_its_turn_is_not_worked_for(web, monkeypatch):
    first, second, places = Slow(), Slow(), range(cores())
    body = {"model": "buddy", "messages": LOST, "stream": True}
    with monkeypatch.context() as patch, contextlib.ExitStack() as all_places:
        patch.setattr(Buddy, "answer", first.answer)
        streams = [all_places.enter_context(web.stream("POST", "/v1/chat/completions", json=body)) for _ in places]
        rest = [read_until(stream, "and ") for stream in streams]
        patch.setattr(Buddy, "answer", second.answer)
        with web.stream("POST", "/v1/chat/completions", json=body) as response:
            read_until(response, "assistant")
        wait_for_inside(web, len(rest))
        all_places.close()
        wait_for_inside(web, 0)
        patch.undo()
        assert web.post("/v1/chat/completions", json={"model": "buddy", "messages": LOST}).status_code == 200
    assert (second.looked, second.made) == (1, 0)


def test_a_stream_that_breaks_off_leaves_a_trace_without_words(web, monkeypatch, caplog):
    def break_off():
        yield "Oh "
        raise ValueError(f"cannot go on after {LOST[0]['content']}")

    before = _broken_off(web)
    with monkeypatch.context() as patch:
        patch.setattr(Buddy, "answer", lambda *_: Answer("talk", None, NO_CONCERN, break_off()))
        found = web.post("/v1/chat/completions", json={"model": "buddy", "messages": LOST, "stream": True})
    error = json.loads(found.text.strip().splitlines()[-1][6:])["error"]
    assert error["code"] == "internal_error"
    assert error["message"] == "The reply broke off. If a life is in danger, call 911 now."
    assert f"request {found.headers['x-request-id']} broke off: ValueError at" in caplog.text
    assert "cat" not in caplog.text
    assert _broken_off(web) == before + 1


def _broken_off(web):
    (line,) = (line for line in web.get("/metrics").text.splitlines() if line.startswith("buddy_broken_off_total"))
    return float(line.split()[1])
