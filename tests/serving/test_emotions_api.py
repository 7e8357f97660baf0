"""The emotions endpoint gives what `Buddy` gives, for one text and for many."""

import concurrent.futures

import httpx
import pytest

from buddy import Buddy

TEXTS = ["I lost my cat last week.", "We won the cup!", "My boss shouted at me in front of everybody.", "", "…"]


def test_one_text(web):
    found = web.post("/v1/emotions", json={"input": TEXTS[0]}).json()
    here = Buddy().emotion(TEXTS[0])
    (only,) = found["data"]
    assert only["label"] == here.label
    assert only["probabilities"] == pytest.approx(dict(here.probabilities), abs=1e-4)
    assert next(iter(only["probabilities"])) == only["label"]
    assert sum(only["probabilities"].values()) == pytest.approx(1, abs=1e-5)


def test_many_texts_keep_their_order(web):
    texts = TEXTS * 60
    found = web.post("/v1/emotions", json={"input": texts}).json()["data"]
    here = Buddy().emotions(texts)
    assert [one["index"] for one in found] == list(range(300))
    assert [one["label"] for one in found] == [one.label for one in here]


def test_what_says_nothing_is_not_readable(web):
    found = web.post("/v1/emotions", json={"input": ["We won!", "我很高兴", "  "]}).json()["data"]
    assert [one["readable"] for one in found] == [True, False, False]


def test_requests_that_arrive_together_share_batches_and_get_their_own_answers(open_service):
    texts = [f"{text} It was day {number}." for number in range(20) for text in TEXTS[:3]]
    here = {text: emotion.label for text, emotion in zip(texts, Buddy().emotions(texts), strict=True)}

    def ask(text):
        return httpx.post(f"{open_service.url}/v1/emotions", json={"input": text}, timeout=30).json()["data"][0][
            "label"
        ]

    before = batches(open_service)
    with concurrent.futures.ThreadPoolExecutor(30) as pool:
        assert list(pool.map(ask, texts)) == [here[text] for text in texts]
    assert batches(open_service) - before < len(texts)


def batches(service):
    lines = httpx.get(f"{service.url}/metrics").text.splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("buddy_batch_texts_count")))


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"input": []}, 422, "at least 1"),
        ({"input": ["x"] * 1025}, 422, "1024"),
        ({"input": "x" * 10_001}, 422, "10000"),
        ({"input": 7}, 422, "string"),
        ({}, 422, "required"),
        ([], 422, "must be a JSON object"),
    ],
)
def test_limits_are_told(web, body, status, says):
    response = web.post("/v1/emotions", json=body)
    assert response.status_code == status
    assert says in response.json()["error"]["message"]
