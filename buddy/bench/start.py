"""How long one waits for the first answer: `buddy classify` as a whole process, against a script with transformers."""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from buddy.bench.hugging_face import load_as_hugging_face
from buddy.errors import EnvironmentFault
from buddy.progress import progress
from buddy.text.render import EMOTION_TYPE

BUDDY, SCRIPT = "buddy classify", "a script with transformers"
TEXT = "I lost my cat last week."

TRANSFORMERS_SCRIPT = f"""
import sys
from transformers import AutoModelForCausalLM, AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
model = AutoModelForCausalLM.from_pretrained(sys.argv[1])
batch = tokenizer(" {TEXT}{EMOTION_TYPE}", return_tensors="pt")
ids = model.generate(**batch, max_new_tokens=1, do_sample=False, pad_token_id=0)
print(tokenizer.decode(ids[0, -1:]))
"""


@dataclass(frozen=True)
class Comparison:
    """The seconds of every process, by side."""

    model: str
    seconds: Mapping[str, Sequence[float]]

    def ratios(self) -> list[float]:
        """How many times longer the script takes, by round."""
        pairs = zip(self.seconds[SCRIPT], self.seconds[BUDDY], strict=True)
        return [theirs / ours for theirs, ours in pairs]

    def to_json(self) -> dict[str, object]:
        """Give everything measured, and the median, for a file."""
        return {**asdict(self), "ratio": statistics.median(self.ratios())}


def bench_start(model: Path, rounds: int = 5) -> Comparison:
    """Start both sides in turn, after one start of each that is not counted.

    Args:
        model: an exported GPT-2, or a checkpoint of one.
        rounds: how often each side is started.

    Raises:
        UserMistake: the model is none that the script can use, too.
        EnvironmentFault: a side fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        network, tokenizer = load_as_hugging_face(model)
        network.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        commands = {
            BUDDY: [sys.executable, "-m", "buddy", "classify", TEXT, "--model", str(model)],
            SCRIPT: [sys.executable, "-c", TRANSFORMERS_SCRIPT, folder],
        }
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        with progress("measuring", 2 * (rounds + 1), "starts") as bar:
            for number in range(rounds + 1):
                for name, command in commands.items():
                    taken = _run(name, command)
                    if number:  # the first one reads the files from the disk
                        seconds[name].append(taken)
                    bar.advance(1, note=f"{name}: {taken:.2f} s")
    return Comparison(str(model), seconds)


def _run(name: str, command: Sequence[str]) -> float:
    """Run a program to its end and give the seconds that it took.

    Raises:
        EnvironmentFault: it failed; the last line of what it said tells why.
    """
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603  (the commands stand above)
    seconds = time.perf_counter() - started
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise EnvironmentFault(f"{name} ended with {done.returncode}: {said or 'it said nothing'}")
    return seconds
