"""`buddy evaluate-safety` on files of one's own."""

import json

import pytest

ROWS = [
    {"text": "I want to die", "crisis": True, "category": "self-harm"},
    {"text": "please", "crisis": True},
    {"text": "My phone died", "crisis": False},
]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "messages.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in ROWS))
    return path


def test_prints_recall_precision_and_misses(buddy, file):
    code, out, err = buddy("evaluate-safety", "--input", file)
    assert (code, err) == (0, "")
    assert "3 messages, 2 of them crises" in out
    assert "recall      50.0%" in out
    assert "precision  100.0%" in out
    assert "Missed: 1\n  please" in out


def test_prints_json(buddy, file):
    _, out, _ = buddy("evaluate-safety", "--input", file, "--json")
    found = json.loads(out)
    assert (found["recall"], found["precision"], found["missed"]) == (0.5, 1.0, ["please"])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nonsense", "line 1 is no JSON object"),
        ('{"text": "hm"}', 'line 1 needs "text"'),
        ('{"text": "hm", "crisis": "no"}', 'line 1 needs "text"'),
        ('{"text": "hm", "crisis": false}', "so that there is no recall"),
        ("", "so that there is no recall"),
    ],
)
def test_refuses_other_files_with_a_sentence(buddy, tmp_path, text, says):
    (tmp_path / "a.jsonl").write_text(text)
    code, out, err = buddy("evaluate-safety", "--input", tmp_path / "a.jsonl")
    assert (code, out) == (2, "")
    assert says in err
