import torch
from safetensors.torch import load_file, save_file

from recipes.average import average


def test_the_average_is_a_checkpoint_with_the_mean_of_all_weights(tmp_path):
    runs = [tmp_path / name for name in ("one", "other")]
    for number, run in enumerate(runs):
        (run / "last" / "resume").mkdir(parents=True)
        (run / "last" / "config.json").write_text(f"{number}")
        save_file({"a": torch.full((2, 3), 4.0 * number), "b": torch.arange(5.0)}, run / "last" / "model.safetensors")
    average(runs, tmp_path / "mean")
    assert sorted(file.name for file in (tmp_path / "mean").iterdir()) == ["config.json", "model.safetensors"]
    assert (tmp_path / "mean" / "config.json").read_text() == "0"
    mean = load_file(tmp_path / "mean" / "model.safetensors")
    assert torch.equal(mean["a"], torch.full((2, 3), 2.0))
    assert torch.equal(mean["b"], torch.arange(5.0))
