"""`buddy bench`: buddy against what one would otherwise write."""

import json
import random
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from buddy.cli.app import ConfigOption, app
from buddy.cli.training_options import Compile
from buddy.errors import UserMistake
from buddy.files import write_json
from buddy.inference.folder import find_model_folder


def _examples(*lines: str) -> str:
    return "\n\n  ".join(["Examples:", *(f"buddy bench {line}" for line in lines)])


ModelOption = Annotated[
    Path, typer.Option(help="An exported GPT-2, a checkpoint of one, or `companion`, which comes with buddy.")
]
RoundsOption = Annotated[int, typer.Option(min=1, help="Measurements of each side, taking turns.")]
OutOption = Annotated[Path | None, typer.Option(help="Also write everything measured as JSON.")]
DataOption = Annotated[
    Path | None, typer.Option(help="A prepared folder, whose valid split is read.", show_default="the built-in texts")
]

bench = typer.Typer(help="Measure buddy against what one would otherwise write.", no_args_is_help=True)
app.add_typer(bench, name="bench")


@bench.command(
    epilog=_examples(
        "train --data data/builtin",
        "train --data data/empathetic-dialogues --backbone scratch:gpt2 --texts 256 --out bench.json",
    )
)
def train(
    *,
    data: Annotated[Path, typer.Option(help="A folder made by `buddy prepare`.")] = Path("data/builtin"),
    backbone: Annotated[str, typer.Option(help="scratch:tiny, scratch:small or scratch:gpt2.")] = "scratch:small",
    batch_size: Annotated[int, typer.Option(min=1, help="Texts per step, for both.")] = 32,
    texts: Annotated[int, typer.Option(min=1, help="Texts in the one epoch.")] = 2048,
    rounds: RoundsOption = 3,
    seed: Annotated[int, typer.Option(min=0, help="Which texts, which weights.")] = 13,
    out: OutOption = None,
    config: ConfigOption = None,  # noqa: ARG001  (its callback does the work)
) -> None:
    """Training speed and peak memory, against the Hugging Face Trainer with its defaults."""
    from buddy.bench.train import BenchTrainSettings, bench_train

    _check_out(out)
    comparison = bench_train(BenchTrainSettings(data, backbone, batch_size, texts, rounds, seed))
    print(f"{backbone}, {comparison.settings.texts} texts, {batch_size} per step, medians of {rounds} rounds")
    for name, sides in (("buddy", comparison.buddy), ("Trainer", comparison.trainer)):
        speed = statistics.median(side.texts_per_second for side in sides)
        memory = statistics.median(side.peak_megabytes for side in sides)
        print(f"  {name:<8} {speed:8.1f} texts/s   peak {memory:6.0f} MB")
    ratios = comparison.speed_ratios()
    print(f"  buddy is {_times_as_fast(ratios)}")
    print(f"  memory: {json.dumps([round(r, 2) for r in comparison.memory_ratios()])} of the Trainer's, by round")
    _write(out, comparison.to_json())


@bench.command(epilog=_examples("classify", "classify --data data/empathetic-dialogues --out bench.json"))
def classify(
    *,
    model: ModelOption = Path("companion"),
    data: DataOption = None,
    texts: Annotated[int, typer.Option(min=1, help="How many texts.")] = 1024,
    rounds: RoundsOption = 3,
    out: OutOption = None,
    config: ConfigOption = None,  # noqa: ARG001  (its callback does the work)
) -> None:
    """Classification speed, against generate, one plain pass a batch, and a pipeline; the same weights and texts."""
    from buddy.bench.classify import BUDDY, bench_classify

    _check_out(out)
    measured = bench_classify(find_model_folder(model), _texts(data, texts), rounds)
    print(f"{measured.model}, {measured.texts} texts, medians of {rounds} rounds")
    for name, speed in measured.sides.items():
        ratio = "" if name == BUDDY else f"   buddy is {_times_as_fast(measured.ratios(name))}"
        print(
            f"  {name:<27} {statistics.median(speed.texts_per_second):7.0f} texts/s   "
            f"one text {statistics.median(speed.milliseconds):5.1f} ms   same answer {speed.same_answer:4.0%}{ratio}"
        )
    print(
        f"  reading a text takes {measured.gflop_per_text:.2f} billion operations; this machine does "
        f"{statistics.median(measured.gflop_per_second):.0f} billion a second in bf16: "
        f"buddy does {measured.share_of_limit:.0%} of that"
    )
    _write(out, measured.to_json())


@bench.command(epilog=_examples("chat", "chat --data data/empathetic-dialogues"))
def chat(
    *,
    model: ModelOption = Path("companion"),
    data: DataOption = None,
    messages: Annotated[int, typer.Option(min=1, help="How many conversations are begun.")] = 20,
    rounds: RoundsOption = 3,
    out: OutOption = None,
    config: ConfigOption = None,  # noqa: ARG001  (its callback does the work)
) -> None:
    """Speed of replies, against Hugging Face's streaming generate; the same weights and conversations."""
    from buddy.bench.chat import bench_chat

    _check_out(out)
    measured = bench_chat(find_model_folder(model), _texts(data, messages), rounds)
    print(f"{measured.model}, {measured.conversations} conversations, medians of {rounds} rounds")
    for name, speed in measured.sides.items():
        print(
            f"  {name:<15} {statistics.median(speed.tokens_per_second):6.0f} tokens/s   "
            f"first after {statistics.median(speed.milliseconds_to_first):5.1f} ms"
        )
    print(f"  buddy is {_times_as_fast(measured.ratios())}")
    print(
        f"  a whole reply, the best of eight: {measured.reply_milliseconds:.0f} ms, "
        f"{measured.reply_words_per_second:.0f} words/s"
    )
    _write(out, measured.to_json())


@bench.command(epilog=_examples("start"))
def start(
    *,
    model: ModelOption = Path("companion"),
    rounds: RoundsOption = 5,
    out: OutOption = None,
    config: ConfigOption = None,  # noqa: ARG001  (its callback does the work)
) -> None:
    """The time from the command to its answer, against a script with transformers."""
    from buddy.bench.start import bench_start

    _check_out(out)
    measured = bench_start(find_model_folder(model), rounds)
    for name, seconds in measured.seconds.items():
        print(f"  {name:<27} {statistics.median(seconds):5.2f} s")
    print(f"  buddy is {_times_as_fast(measured.ratios())}")
    _write(out, measured.to_json())


@bench.command(epilog=_examples("serve", "serve --clients 64 --seconds 20"))
def serve(
    *,
    model: ModelOption = Path("companion"),
    data: DataOption = None,
    clients: Annotated[int, typer.Option(min=1, help="Ask for emotions at the same time.")] = 64,
    seconds: Annotated[float, typer.Option(min=1, help="For each of both ways of classifying.")] = 20,
    overload_seconds: Annotated[float, typer.Option(min=2, help="For ten times too many replies.")] = 30,
    streams: Annotated[int, typer.Option(min=1, help="Replies streamed at the same time.")] = 32,
    out: OutOption = None,
    config: ConfigOption = None,  # noqa: ARG001  (its callback does the work)
) -> None:
    """What the service bears: clients at once with batches and without, too many replies, streams."""
    from buddy.bench.serve import bench_serve

    _check_out(out)
    texts = _texts(data, 1024)
    found = bench_serve(str(find_model_folder(model)), texts, clients, seconds, overload_seconds, streams)
    print(f"start {found.start_seconds:.2f} s, {found.idle_megabytes:.0f} MB")
    for name, load in (("in batches", found.batched), ("one by one", found.alone)):
        errors = sum(number for status, number in load.statuses.items() if status != 200)
        print(
            f"{name}: {clients} clients, {load.requests_per_second:,.0f} requests/s, "
            f"median {load.quantile(0.5):.0f} ms, 99% within {load.quantile(0.99):.0f} ms, {errors} errors"
        )
    print(f"batches answer {found.batching_ratio:.1f} times as many")
    over = found.overload
    print(
        f"ten times too many replies for {over.seconds:.0f} s: {over.statuses.get(200, 0)} answered, "
        f"{over.statuses.get(503, 0)} sent away (99% within {_late(over.refused_milliseconds):.0f} ms), "
        f"{sum(n for status, n in over.statuses.items() if status not in (200, 503))} lost; memory "
        f"{found.overload_megabytes[0]:.0f}, then {found.overload_megabytes[1]:.0f} MB; "
        f"well again after {found.healthy_seconds:.1f} s"
    )
    words = found.first_word_milliseconds
    print(
        f"{streams} streams at once: {found.streams_finished} ended, first word 95% within {_late(words, 0.95):.0f} ms"
    )
    _write(out, found.to_json())


def _late(ranked: Sequence[float], share: float = 0.99) -> float:
    return ranked[int(share * (len(ranked) - 1))] if ranked else 0.0


@bench.command(
    epilog=_examples(
        "device", "device --backbone scratch:gpt2 --width 1024 --rows 32 --steps 200 --texts 20000 --compile"
    )
)
def device(
    *,
    backbone: Annotated[str, typer.Option(help="scratch:tiny, scratch:small or scratch:gpt2.")] = "scratch:small",
    width: Annotated[int, typer.Option(min=16, help="Tokens of a row to learn.")] = 256,
    rows: Annotated[int, typer.Option(min=1, help="Rows in a step.")] = 16,
    steps: Annotated[int, typer.Option(min=4, help="Steps to take.")] = 20,
    texts: Annotated[int, typer.Option(min=1, help="Texts to classify.")] = 1024,
    compile: Compile = False,  # noqa: A002  (the option's name)
    out: OutOption = None,
    config: ConfigOption = None,  # noqa: ARG001  (its callback does the work)
) -> None:
    """What share of the arithmetic of the best device here training and classification reach, in PyTorch."""
    from buddy.bench.device import bench_device

    _check_out(out)
    measured = bench_device(backbone, width, rows, steps, texts, compile)
    print(f"{backbone}, {measured.parameters / 1e6:.1f}M parameters, on {measured.device}")
    print(f"  large matrices  {measured.matrix_teraflop_per_second:8.2f} Tflop/s")
    for name, work in (("training", measured.training), ("classification", measured.classification)):
        print(
            f"  {name:<15} {work.teraflop_per_second:8.2f} Tflop/s, {measured.share(work):4.0%} of that   "
            f"{statistics.median(work.tokens_per_second):,.0f} tokens/s"
        )
    print(f"  that is {measured.texts_per_second:,.0f} texts/s")
    _write(out, measured.to_json())


def _texts(data: Path | None, most: int) -> list[str]:
    """Give texts to classify, of a prepared folder's valid split or of those that come with buddy, in a mixed order."""
    from buddy.data.builtin import read_builtin
    from buddy.data.prepared import read_prepared
    from buddy.data.source import UNSPLIT

    examples = read_builtin().examples[UNSPLIT] if data is None else read_prepared(data).examples("valid")
    return [example.text for example in random.Random(13).sample(examples, min(most, len(examples)))]  # noqa: S311


def _times_as_fast(ratios: Sequence[float]) -> str:
    return f"{statistics.median(ratios):.1f} times as fast ({min(ratios):.1f} to {max(ratios):.1f})"


def _check_out(out: Path | None) -> None:
    if out is not None and out.is_dir():
        raise UserMistake(f"{out} is a folder; --out names a file.")


def _write(out: Path | None, record: dict[str, object]) -> None:
    if out is not None:  # last, so that a full disk does not cost the measurement
        write_json(out, record)
