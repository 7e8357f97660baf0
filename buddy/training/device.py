"""Where the model runs, in which number format, and from which seed: decided here, and the reason is told."""

import ctypes
import platform
import random
import threading
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from buddy.errors import UserMistake

FASTER_THAN_FLASH_UP_TO = 128
"""On a CPU, attention over so many tokens or fewer is quicker as plain matrix products (docs/lab-log.md)."""


@dataclass(frozen=True)
class Device:
    """A place to compute and a number format, with the reason for the choice."""

    name: str  # "cuda", "mps" or "cpu"
    number_format: str  # "bf16" or "fp32"
    reason: str

    @property
    def dtype(self) -> torch.dtype:
        """The number format as PyTorch calls it."""
        return torch.bfloat16 if self.number_format == "bf16" else torch.float32

    def tensor(self, array: npt.NDArray[Any]) -> Tensor:
        """Bring an array here; an accelerator goes on with its work meanwhile."""
        tensor = torch.from_numpy(array)
        if self.name == "cuda":
            return tensor.pin_memory().to(self.name, non_blocking=True)
        return tensor.to(self.name)

    def autocast(self) -> AbstractContextManager[object]:
        """Compute matrix products in the chosen format; weights and sums stay fp32."""
        if self.number_format == "fp32":
            return nullcontext()
        return torch.autocast(self.name, self.dtype)

    def attention(self, tokens: int) -> AbstractContextManager[object]:
        """Choose the quickest attention for rows of so many tokens; every choice gives the same result."""
        if self.name == "cpu" and tokens <= FASTER_THAN_FLASH_UP_TO:
            return PLAIN_ATTENTION
        return nullcontext()


def choose_device(wanted: str = "auto", number_format: str = "auto") -> Device:
    """Take the accelerator if there is one, and bf16 where the hardware multiplies it natively.

    Args:
        wanted: ``"auto"``, ``"cuda"``, ``"mps"`` or ``"cpu"``.
        number_format: ``"auto"``, ``"bf16"`` or ``"fp32"``.

    Raises:
        UserMistake: the wanted device is not there (training silently on another one would waste hours), or there
            is no such number format.

    Example:
        >>> choose_device("cpu", "fp32").reason
        'cpu as asked, fp32 as asked'
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted != "auto" and not available.get(wanted, False):
        there = ", ".join(name for name, is_there in available.items() if is_there)
        raise UserMistake(f"There is no device {wanted!r} here; available: {there}.")
    if number_format not in ("auto", "bf16", "fp32"):
        raise UserMistake(f"The number format must be auto, bf16 or fp32, not {number_format!r}.")
    name = wanted if wanted != "auto" else next(name for name, is_there in available.items() if is_there)
    why = f"{name} as asked" if wanted != "auto" else f"{name}, the best device here"
    if number_format != "auto":
        return Device(name, number_format, f"{why}, {number_format} as asked")
    if _multiplies_bf16(name):
        return Device(name, "bf16", f"{why}, bf16 because it multiplies bf16 natively")
    return Device(name, "fp32", f"{why}, fp32 because it has no native bf16")


def _multiplies_bf16(name: str) -> bool:
    if name == "cuda":
        return torch.cuda.get_device_capability() >= (8, 0)
    if name == "mps":
        return False
    return bool(torch.cpu._is_avx512_bf16_supported()) if platform.machine() in ("x86_64", "AMD64") else False


def seed_everything(seed: int, *position: int) -> None:
    """Start every random generator from the run's seed and a position in the run.

    The loop calls this before each step with the step's number. So the randomness of a step (dropout) does not
    depend on what ran before it, and a resumed run needs no saved generator state to go on identically.

    Example:
        >>> seed_everything(13, 7); a = torch.rand(1)
        >>> seed_everything(13, 7); b = torch.rand(1)
        >>> bool(a == b)
        True
    """
    state = np.random.SeedSequence([seed, *position]).generate_state(2, np.uint32)
    random.seed(int(state[0]))
    np.random.seed(state[0])
    torch.manual_seed(int(state[0]) << 32 | int(state[1]))


def keep_freed_memory() -> None:
    """Let the C library reuse large blocks instead of returning them to the kernel after every tensor.

    A training step allocates the same megabytes again and again; fetching them fresh from the kernel each time
    costs page faults, for GPT-2 at 8 texts a step a fifth of the time. Does nothing off glibc.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    m_trim_threshold, m_mmap_max = -1, -4
    libc = ctypes.CDLL("libc.so.6")
    libc.mallopt(m_mmap_max, 0)
    libc.mallopt(m_trim_threshold, 2**31 - 1)


class _PlainAttention(AbstractContextManager[None]):
    """Attention as plain matrix products, as long as one thread wants it.

    PyTorch has one setting for the whole process. If every thread put back what it found, one that comes while another
    is there would find that one's choice, and leave it to everybody for ever.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._switch = ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._switch.enter_context(sdpa_kernel(SDPBackend.MATH))
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._switch.close()


PLAIN_ATTENTION = _PlainAttention()
