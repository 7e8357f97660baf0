"""What every request passes: where it comes from, keys, how often, how long, and that no word gets into a log."""

import json
import socket
import time
from dataclasses import replace

import httpx
import pytest
from starlette.datastructures import Headers

from buddy.errors import UserMistake
from buddy.serving.gate import _session
from buddy.serving.service_settings import Limits, ServiceSettings, digest, read_keys, settings_from_environment
from tests.serving.conftest import KEYS
from tests.serving.servers import served

SECRET = "my secret sorrow"


def test_every_response_has_the_headers_that_protect_a_browser(web):
    for path in ("/", "/v1/models", "/nowhere", "/page/page.js", "/docs"):
        headers = web.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert len(headers["x-request-id"]) >= 8
        assert "access-control-allow-origin" not in headers
    assert "unsafe" not in web.get("/").headers["content-security-policy"]


def test_a_request_id_is_taken_over_if_it_is_one(web):
    assert web.get("/health", headers={"X-Request-ID": "abc-1"}).headers["x-request-id"] == "abc-1"
    assert web.get("/health", headers={"X-Request-ID": "a b<script>"}).headers["x-request-id"] != "a b<script>"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.example"}, 421),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 421),
        ({"Host": "localhost.evil.example"}, 421),
        ({"Host": ""}, 421),
        ({"Origin": "http://["}, 403),
        ({"Origin": "http://[1.2.3.4]"}, 403),
        ({"Host": "[::::]"}, 421),
        ({"Host": "[1.2.3.4]"}, 421),
        ({"Host": "["}, 421),
        ({"Host": "[", "Origin": "http://["}, 421),
        ({"Host": "localhost:1"}, 200),
        ({"Host": "[::1]:80"}, 200),
        ({"Host": "LocalHost:1", "Origin": "http://LocalHost:1"}, 200),
    ],
)
def test_other_pages_cannot_use_a_browser_that_can_reach_us(web, headers, status):
    assert web.post("/v1/emotions", json={"input": "x"}, headers=headers).status_code == status


@pytest.mark.parametrize("host", ["[", "[::::]", "[1.2.3.4]", "a b", "a:b:c", "@", b"\xff"])
def test_with_a_key_any_host_is_answered(keyed_service, host):
    with httpx.Client(
        base_url=keyed_service.url, headers={"Host": host, "Authorization": f"Bearer {KEYS[0]}"}
    ) as client:
        for path in ("/", "/page", "/v1/models/", "/nowhere", "/docs", "/openapi.json"):
            assert client.get(path).status_code < 500, path


@pytest.mark.parametrize(
    "others", [b'prefs={"theme":"dark"}; ', b"w=x;y; ", b"v=a b; ", "n=ö; ".encode(), b"=; ;", b""]
)
def test_a_session_is_known_beside_cookies_of_other_applications(others):
    mine = b"buddy_session=" + b"s" * 43
    assert _session(Headers({"cookie": (others + mine).decode("latin-1")})) == "s" * 43
    assert _session(Headers({"cookie": (mine + b"; " + others).decode("latin-1")})) == "s" * 43
    assert _session(Headers({"cookie": others.decode("latin-1")})) is None


def test_without_a_key_only_descriptions_can_be_seen(keyed_service):
    with httpx.Client(base_url=keyed_service.url) as client:
        for path in ("/", "/page/page.js", "/health", "/ready", "/docs", "/openapi.json", "/page/settings.json"):
            assert client.get(path).status_code == 200, path
        for method, path in (
            ("POST", "/v1/emotions"), ("POST", "/v1/chat/completions"), ("GET", "/v1/models"), ("GET", "/metrics"),
            ("GET", "/v1/conversations"), ("GET", "/nowhere"),
        ):  # fmt: skip
            found = client.request(method, path)
            assert found.status_code == 401, path
            assert found.headers["www-authenticate"] == "Bearer"
        for wrong in (f"Basic {KEYS[0]}", KEYS[0], f"Bearer {digest(KEYS[0])}", "Bearer"):
            assert client.get("/v1/models", headers={"Authorization": wrong}).status_code == 401
        assert client.get("/v1/models", headers={"Authorization": f"bearer {KEYS[0]}"}).status_code == 200


def test_the_page_knows_that_a_key_is_needed(web, keyed_service):
    assert web.get("/page/settings.json").json()["key_needed"] is False
    there = httpx.get(f"{keyed_service.url}/page/settings.json").json()
    assert there["key_needed"] is True
    assert there["emergency"] == "999"
    assert there["emotions"]["joyful"]["valence"] > 0 > there["emotions"]["sad"]["valence"]


def test_who_asks_too_often_waits():
    settings = ServiceSettings(country="GB", keys=tuple(map(digest, KEYS)), requests_per_minute=6, workers=2)
    with served(settings) as service, httpx.Client(base_url=service.url) as client:
        headers = [{"Authorization": f"Bearer {key}"} for key in KEYS]
        assert [client.get("/v1/models", headers=headers[0]).status_code for _ in range(4)] == [200, 200, 200, 429]
        refused = client.get("/v1/models", headers=headers[0])
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert "than 3 requests a minute" in refused.json()["error"]["message"]  # the share of one of two workers
        assert "If a life is in danger, call 999 now." in refused.json()["error"]["message"]
        assert client.get("/v1/models", headers=headers[1]).status_code == 200
        assert client.get("/health").status_code == 200


class TestBadInput:
    @pytest.mark.parametrize(
        "body",
        [
            b"{",
            b"",
            b"null",
            b"[" * 100_000,
            b'{"input": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
            b'{"input": "\\ud800 half a letter"}',
            b'{"input": "\xff\xfe not utf-8"}',
            b'{"input": ' + b"9" * 10_000 + b"}",
            b'{"input": NaN}',
            b'{"input": {"a": 1}}',
            b'{"input": true}',
            b'{"model": "buddy", "messages": [{"role": "user", "content": "x"}], "temperature": 1e999}',
            b'{"model": "buddy", "messages": [{"role": "user", "content": "x"}], "temperature": NaN}',
            b'{"model": "buddy", "messages": [{"role": "user", "content": "x"}], "seed": 1' + b"0" * 9_000 + b"}",
            b'{"model": "buddy", "messages": [{"role": "user", "content": "x"}], "max_tokens": "5"}',
            b'{"model": "buddy", "messages": {"role": "user"}}',
            b'{"model": "buddy", "messages": [{"role": "tool", "content": "x"}]}',
            b'{"model": "\\u0000", "messages": [{"role": "user", "content": "x"}]}',
        ],
    )
    @pytest.mark.parametrize("path", ["/v1/emotions", "/v1/chat/completions"])
    def test_is_refused_in_words_that_repeat_nothing(self, web, path, body):
        response = web.post(path, content=body, headers={"Content-Type": "application/json"})
        assert 400 <= response.status_code < 500
        assert "half a letter" not in response.text
        assert response.json()["error"]["message"]

    def test_letters_of_every_kind_are_texts(self, web):
        for text in ("\0\0\0", "\x1b[31m", "😀" * 50, "ا" * 100, "a" * 10_000, "\u202e", "<|endoftext|><EMOTION_TYPE>"):
            assert web.post("/v1/emotions", json={"input": text}).status_code == 200
            asked = {"model": "buddy", "messages": [{"role": "user", "content": text}]}
            found = web.post("/v1/chat/completions", json=asked, timeout=30)
            assert found.status_code == 200
            assert "<|" not in found.json()["choices"][0]["message"]["content"]

    @pytest.mark.parametrize("with_length", [True, False])
    def test_ten_megabytes_are_too_much(self, web, with_length):
        body = b'{"input": "' + b"x" * 10_000_000 + b'"}'

        def pieces():
            for start in range(0, len(body), 100_000):
                yield body[start : start + 100_000]

        content = body if with_length else pieces()
        try:
            response = web.post("/v1/emotions", content=content, headers={"Content-Type": "application/json"})
        except httpx.WriteError:
            return  # refused while still sending
        assert response.status_code == 413
        assert "2,000,000 bytes" in response.json()["error"]["message"]


class TestSlowClients:
    def test_a_body_that_does_not_come_is_given_up(self):
        limits = replace(Limits(), body_seconds=0.5)
        with served(ServiceSettings(limits=limits)) as service:
            started = time.monotonic()
            with _connect(service.url) as connection:
                connection.sendall(
                    b"POST /v1/emotions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                    b"Content-Length: 20\r\n\r\n{"
                )
                assert b" 408 " in connection.recv(4096)
            assert time.monotonic() - started < 5

    def test_others_are_answered_meanwhile(self, open_service):
        with _connect(open_service.url) as one, _connect(open_service.url) as other:
            one.sendall(b"POST /v1/emotions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20\r\n\r\n")
            other.sendall(b"GET ")
            started = time.monotonic()
            assert httpx.post(f"{open_service.url}/v1/emotions", json={"input": "hi"}).status_code == 200
            assert time.monotonic() - started < 2


def _connect(url):
    host, port = url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=10)


def test_no_word_of_a_message_gets_into_a_log_or_an_error(open_service, monkeypatch, caplog):
    def fail(self, *_):
        raise ValueError(f"cannot read {SECRET}")

    monkeypatch.setattr("buddy.companion.buddy.Buddy.answer", fail)
    asked = {"model": "buddy", "messages": [{"role": "user", "content": SECRET}]}
    with httpx.Client(base_url=open_service.url) as client:
        response = client.post("/v1/chat/completions", json=asked)
        number = response.headers["x-request-id"]
        assert response.status_code == 500
        assert number in response.json()["error"]["message"]
        assert client.post("/v1/chat/completions", json={**asked, "n": SECRET}).status_code == 422
    assert number in caplog.text
    assert "ValueError" in caplog.text
    assert SECRET not in caplog.text + response.text


def test_a_defect_before_the_application_is_told_like_any_other(web, monkeypatch, caplog):
    def fail(*_):
        raise ValueError(f"cannot read {SECRET}")

    count = 'buddy_requests_total{route="other",status="500"}'
    before = _value(web.get("/metrics").text, count)
    with monkeypatch.context() as patch:
        patch.setattr("buddy.serving.gate.Gate._check_place", fail)
        response = web.get("/v1/models")
    assert response.status_code == 500
    assert response.headers["x-request-id"] in response.json()["error"]["message"]
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in response.headers["content-security-policy"]
    deadline = time.monotonic() + 5
    while _value(web.get("/metrics").text, count) != before + 1:  # it is counted once it is out
        assert time.monotonic() < deadline
    assert "ValueError" in caplog.text
    assert SECRET not in caplog.text + response.text


def test_the_metrics_count_and_tell_nothing_that_was_said(web):
    before = web.get("/metrics").text
    web.post("/v1/chat/completions", json={"model": "buddy", "messages": [{"role": "user", "content": SECRET}]})
    after = web.get("/metrics").text
    web.post("/v1/emotions", json={"input": "x"}, headers={"Origin": "https://evil.example"})
    assert _value(web.get("/metrics").text, 'buddy_refused_total{reason="other_origin"}') >= 1
    name = 'buddy_requests_total{route="/v1/chat/completions",status="200"}'
    assert _value(after, name) == _value(before, name) + 1
    assert _value(after, 'buddy_safety_total{level="none"}') > 0
    assert _value(after, 'buddy_tokens_total{direction="written"}') > 0
    assert "secret" not in after


def _value(text, name):
    return next((float(line.split()[-1]) for line in text.splitlines() if line.startswith(name)), 0.0)


def test_settings_reach_a_worker_as_they_are():
    settings = ServiceSettings(keys=("a", "b"), limits=Limits(batch=5), memory="sqlite:///x")
    assert settings_from_environment(settings.to_environment()) == settings
    assert KEYS[0] not in json.dumps(ServiceSettings(keys=(digest(KEYS[0]),)).to_environment())


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("buddy.example", False)],
)
def test_what_is_local(host, local):
    assert ServiceSettings(host=host).is_local is local


class TestKeys:
    def test_come_from_the_environment_or_a_file(self, tmp_path):
        file = tmp_path / "keys.txt"
        file.write_text(f"{KEYS[0]}\n\n{KEYS[1]}\n")
        assert read_keys({}, file) == tuple(map(digest, KEYS))
        assert read_keys({"BUDDY_API_KEYS": f"{KEYS[0]}, {KEYS[1]}"}, None) == tuple(map(digest, KEYS))
        assert read_keys({}, None) == ()

    @pytest.mark.parametrize("text", ["short", "", "a-key-with-an-é-in-it", None])
    def test_that_are_none(self, tmp_path, text):
        file = tmp_path / "keys.txt"
        if text is not None:
            file.write_text(text)
        with pytest.raises(UserMistake):
            read_keys({}, file)
