from pathlib import Path

import pytest

from buddy.errors import UserMistake
from buddy.training.settings import TrainSettings


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("epochs", 0, "epochs must be above 0 and finite, not 0"),
        ("epochs", float("nan"), "epochs must be above 0"),
        ("epochs", float("inf"), "epochs must be above 0 and finite"),
        ("learning_rate", -1.0, "learning_rate must be above 0 and finite, not -1.0"),
        ("learning_rate", float("nan"), "learning_rate must be above 0"),
        ("text_weight", float("nan"), "text_weight must be 0 or above"),
        ("weight_decay", -0.1, "weight_decay must be 0 or above"),
        ("lora_rank", -1, "lora_rank must be 0 or above"),
        ("warmup_share", 1.5, "warmup_share must be from 0 to 1, not 1.5"),
        ("warmup_share", float("nan"), "warmup_share must be from 0 to 1"),
        ("batch_size", -1, "batch_size must be above 0"),
        ("max_gradient_norm", 0.0, "max_gradient_norm must be above 0"),
        ("task", "poetry", "task must be emotion or companion or text, not 'poetry'"),
        ("best_by", "luck", "best_by must be accuracy or loss, not 'luck'"),
        ("vocabulary_size", 10**11, "vocabulary_size must be at most 1,000,000, not 100000000000"),
        ("max_tokens", 15, "max_tokens must be at least 16"),
        ("dropout", 1.0, "dropout must be from 0 to 0.95, not 1.0"),
    ],
)
def test_what_could_only_fail_later_is_refused_at_once(name, value, sentence):
    with pytest.raises(UserMistake, match=sentence):
        TrainSettings(Path("data"), Path("run"), **{name: value})
