import platform
import random
import resource
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from buddy.errors import UserMistake
from buddy.training.device import choose_device, keep_freed_memory, seed_everything


def test_a_device_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(UserMistake, match=r"no device 'cuda' here; available: .*cpu"):
        choose_device("cuda")


def test_an_unknown_number_format_is_refused():
    with pytest.raises(UserMistake, match="bf16 or fp32, not 'fp16'"):
        choose_device("cpu", "fp16")


def test_the_best_device_is_taken_and_the_reason_told(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda: (7, 5))
    device = choose_device()
    assert (device.name, device.number_format) == ("cuda", "fp32")
    assert device.reason == "cuda, the best device here, fp32 because it has no native bf16"
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda: (9, 0))
    assert choose_device().number_format == "bf16"


@pytest.mark.parametrize(("number_format", "dtype"), [("bf16", torch.bfloat16), ("fp32", torch.float32)])
def test_matrix_products_are_computed_in_the_chosen_format(number_format, dtype):
    with choose_device("cpu", number_format).autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype


def test_randomness_is_a_function_of_seed_and_position():
    def draw(*place: int) -> tuple[float, float, float]:
        seed_everything(*place)
        return random.random(), float(np.random.random()), float(torch.rand(()))

    assert draw(13, 7) == draw(13, 7)
    others = [draw(13, 7), draw(13, 8), draw(14, 7), draw(13, 7, 1)]
    assert len({value for values in others for value in values}) == 12


def test_attention_is_as_it_was_when_the_last_of_several_threads_has_left_it():
    cpu = choose_device("cpu")
    first_is_in, second_is_in, first_is_out = (threading.Event() for _ in range(3))
    quick_at_the_end = []

    def first() -> None:
        with cpu.attention(8):
            first_is_in.set()
            second_is_in.wait(10)
        first_is_out.set()

    def second() -> None:
        first_is_in.wait(10)
        with cpu.attention(8):
            second_is_in.set()
            first_is_out.wait(10)
            quick_at_the_end.append(not torch.backends.cuda.flash_sdp_enabled())

    threads = [threading.Thread(target=work) for work in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert quick_at_the_end == [True]
    assert torch.backends.cuda.flash_sdp_enabled()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is a setting of glibc")
def test_the_memory_of_a_large_tensor_is_kept_when_it_is_freed():
    def resident_bytes() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

    keep_freed_memory()
    tensor = torch.ones(2**25)  # 128 MiB: without the setting they go back to the kernel
    before = resident_bytes()
    del tensor
    assert resident_bytes() > before - 2**26
