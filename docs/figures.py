"""The figures of "How it works", drawn with buddy's own code: ``python docs/figures.py`` writes docs/images/.

Nothing is drawn by hand: layouts come from ``render``, tokens from the tokenizer that ships, rows from ``pad`` and
``pack``, losses from ``learned_loss``, labels from the trie, leaks from the audit. What took minutes or hours to
compute lies beside the pictures. The curves of the models that come with buddy were copied from the lab log. Early
stopping and calibration show the history of a run and its last model's answers, made with

    buddy prepare --source builtin
    buddy train --data data/builtin --best-by loss --patience 4 --epochs 8 --out runs/stop
    buddy evaluate runs/stop/last --data data/builtin --out results-last
    python docs/figures.py runs/stop results-last

The replies that one seed wrote are kept as well, for another processor may draw others. ``figures.json`` says what
each figure shows, for the tests: they draw everything again and compare that. Each function below draws one figure.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle
from matplotlib.ticker import FixedLocator

from buddy.companion.reply import TO_CHOOSE_FROM, Replies, is_good, judge
from buddy.data.audit import compare_texts
from buddy.data.builtin import read_builtin
from buddy.data.corpus import CorpusFile, read_passages
from buddy.data.duplicates import NEAR_DUPLICATE_JACCARD, jaccard, shingles
from buddy.data.normalise import comparison_key
from buddy.data.prepare import divide, without_leaks
from buddy.data.source import UNSPLIT, Source
from buddy.evaluation.calibration import cross_fitted, temper
from buddy.evaluation.figures import LIGHT, accuracy_curve, draw_calibration, draw_curve
from buddy.evaluation.metrics import Floats, Integers, expected_calibration_error, reliability
from buddy.evaluation.predictions import read_predictions
from buddy.evaluation.results import Reliability
from buddy.evaluation.run_folder import HistoryRow
from buddy.files import write_json
from buddy.inference.classifier import Classifier, load_classifier
from buddy.inference.engine import score_answers
from buddy.inference.labels import label_trie, log_softmax
from buddy.models import find_model
from buddy.records import Dialogue, Example
from buddy.text.batches import Batch, pack, pad
from buddy.text.render import (
    END,
    SPEAKER,
    Piece,
    render_dialogue,
    render_emotion_question,
    render_example,
    render_passage,
    render_reply_question,
)
from buddy.text.rows import read_corpus, write_corpus
from buddy.text.show import GIVEN, LEARNED
from buddy.text.tokenizer import Codec, Tokens
from buddy.training.forward import same_document_mask
from buddy.training.stopping import EarlyStopping

if TYPE_CHECKING:
    from matplotlib.axes import Axes

IMAGES = Path(__file__).parent / "images"
HISTORY = IMAGES / "early-stopping-history.jsonl"
ANSWERS = IMAGES / "calibration-answers.npz"
COMPANION_HISTORY = IMAGES / "companion-history.jsonl"
READING_HISTORY = IMAGES / "reading-history.jsonl"
WRITTEN = IMAGES / "candidates.json"
CONTENTS = IMAGES / "figures.json"

WIDTH = 7.0  # inches; at 150 dots per inch 1,050 dots, shown 700 wide
DOTS_PER_INCH = 150
CHARACTERS = 92  # of the monospaced font, across a figure
PAPER, INK, FAINT = LIGHT.paper, LIGHT.ink, "#8b8880"
NEITHER = "#eceae6"
ASKED = "#2e8b57"
"""A place whose answer is learned, which is the one before what is learned."""
TINTS = {GIVEN: "#e3f0f8", LEARNED: "#fbe6d9", FAINT: "#f6f5f3"}
ON_THEIR_OWN = ("#56b4e9", "#e69f00", "#43bf9a", "#cc79a7", "#f0e442")
CAT = "I lost my cat."
TALK = Dialogue("1", "proud", "My son won.", ["My son won!", "Well done!"])


def main() -> None:
    """Draw all figures; a run and the results of its last model, if they are named, become those that are shown."""
    if len(sys.argv) > 1:
        keep(Path(sys.argv[1]), Path(sys.argv[2]))
        print_calibration()
    keep_candidates()
    contents = {}
    for name, draw in FIGURES.items():
        figure = draw()
        save(figure, IMAGES / f"{name}.png")
        contents[name] = content_of(figure)
        print(f"docs/images/{name}.png")
    write_json(CONTENTS, contents)


def keep(run: Path, results: Path) -> None:
    """Take from a run and from the results of its last model, whose temperature is 1, what the figures need."""
    HISTORY.write_bytes((run / "history.jsonl").read_bytes())
    answers = read_predictions(results / "predictions.parquet")
    log_scores = np.log(np.maximum(answers.probabilities, 1e-12))
    np.savez_compressed(ANSWERS, log_scores=log_scores.astype(np.float16), truth=answers.truth.astype(np.int16))


def save(figure: Figure, path: Path) -> None:
    """Write a figure in few colours, without a date or a version in it, so that the same picture is the same file."""
    from PIL import Image

    figure.savefig(path, dpi=DOTS_PER_INCH, facecolor=PAPER, metadata={"Software": None})
    with Image.open(path) as image:
        image.convert("RGB").quantize(64).save(path, optimize=True)


def content_of(figure: Figure) -> dict[str, Any]:
    """Tell what a figure shows: all but how letters are drawn, and where the library puts its ticks."""
    texts = [text.get_text() for text in figure.texts]
    texts += [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    for axes in figure.axes:
        texts += [axes.get_title("left"), axes.get_title(), axes.get_xlabel(), axes.get_ylabel()]
        texts += [text.get_text() for text in axes.texts]
        named = [axis for axis in (axes.xaxis, axes.yaxis) if isinstance(axis.get_major_locator(), FixedLocator)]
        texts += [label.get_text() for axis in named for label in axis.get_ticklabels()]
    patches = [*figure.patches, *(patch for axes in figure.axes for patch in axes.patches)]
    lines = [line for axes in figure.axes for line in axes.lines]
    points = [np.asarray(line.get_xydata()) for line in lines]
    images = [np.asarray(image.get_array()) for axes in figure.axes for image in axes.images]
    return {
        "texts": [text for text in texts if text],
        "patches": dict(Counter(to_hex(patch.get_facecolor()) for patch in patches)),
        "lines": dict(Counter(to_hex(line.get_color()) for line in lines)),
        "curves": [np.round(xy.T, 3).tolist() for xy in points if len(xy) > 2],
        "images": [round(float(image.mean()), 4) for image in images],
    }


def audit() -> Figure:
    """Draw how two texts are compared, and what the audit finds of copies that were planted."""
    figure, axes = character_grid(lines=19.6)
    first = "My birthday is tomorrow, I am so happy!"
    second = "my birthday is TOMORROW... I am so hyped"
    keys = comparison_key(first), comparison_key(second)
    say(axes, 0, 0.6, "Two texts are compared without case and punctuation …", bold=True)
    for y, text, key_ in ((2.1, first, keys[0]), (4.0, second, keys[1])):
        right = box(axes, 0, y, text, FAINT, len(first) + 3.2)
        axes.annotate("", (right + 3.6, y), (right, y), arrowprops={"arrowstyle": "->", "color": INK})
        box(axes, right + 4.2, y, key_, GIVEN, len(keys[0]) + 3.2)
    say(axes, 0, 6.0, "… by the pairs of words that both have", bold=True)
    pairs = [shingles(key_) for key_ in keys]
    x = 0.0
    for pair in sorted(pairs[0] | pairs[1], key=" ".join(keys).index):
        x = box(axes, x, 7.4, pair, GIVEN if pair in pairs[0] & pairs[1] else FAINT, len(pair) + 1.0)
    share = jaccard(*pairs)
    assert share >= NEAR_DUPLICATE_JACCARD, "the figure shows two texts that are nearly the same"
    both, all_ = len(pairs[0] & pairs[1]), len(pairs[0] | pairs[1])
    say(axes, 0, 9.0, f"{both} of {all_} are blue: {share:.0%}. From {NEAR_DUPLICATE_JACCARD:.0%} on: nearly the same.")
    _draw_leaks(axes, 11.4)
    return figure


PLANTED = {"valid": (9, 6), "test": (5, 8)}
"""By split: training texts that are typed again in capitals, and those that get a word more at the end."""


def _draw_leaks(axes: "Axes", y: float) -> None:
    """Draw a square for every row of valid and test that the audit finds in train, before and after."""
    clean = _some_of_the_builtin()
    leaky = _with_leaks(clean)
    found = compare_texts(leaky.examples)
    states = {
        "as they are": compare_texts(clean.examples),
        "with copies of training texts planted": found,
        "the same, after --drop-leaks": compare_texts(without_leaks(leaky, found).examples),
    }
    for split, planted in PLANTED.items():
        overlap = found.overlap[f"train-{split}"]
        assert (overlap.exact, overlap.near) == planted, "the audit finds what was planted, and nothing else"
    count = sum(map(len, clean.examples.values()))
    say(axes, 0, y - 0.6, f"Rows that train has, too, among {count} built-in situations", bold=True)
    for split, x in (("valid", 38.0), ("test", 66.0)):
        axes.text(x, y + 0.7, f"in {split}", fontsize=9.5, color=FAINT, va="center")
    for row, (name, findings) in enumerate(states.items()):
        at = y + 2.1 + 1.6 * row
        say(axes, 0, at, name, size=9.5)
        for split, x in (("valid", 38.0), ("test", 66.0)):
            overlap = findings.overlap[f"train-{split}"]
            colours = [GIVEN] * overlap.exact + ["#56b4e9"] * (overlap.near or 0)
            for number_, colour in enumerate(colours):
                axes.add_patch(Rectangle((x + 1.6 * number_, at - 0.42), 1.25, 0.84, color=colour, lw=0))
            if not colours:
                say(axes, x, at, "none", size=9.5)
    at = y + 7.1
    for x, colour, name in ((38.0, GIVEN, "word for word"), (66.0, "#56b4e9", "nearly")):
        axes.add_patch(Rectangle((x, at - 0.42), 1.25, 0.84, color=colour, lw=0))
        say(axes, x + 2.2, at, name, size=9.5)


def _some_of_the_builtin() -> Source:
    """Take four labels of the built-in situations, split as `buddy prepare` splits them."""
    source = read_builtin()
    some = [row for row in source.examples[UNSPLIT] if row.label in ("sad", "proud", "jealous", "nostalgic")]
    whole = replace(source, examples={UNSPLIT: some}, dialogues={})
    return divide(whole, {"test": 0.1, "valid": 0.1}, seed=13)


def _with_leaks(source: Source) -> Source:
    train = [row for row in source.examples["train"] if len(row.text.split()) > 8]
    examples = dict(source.examples)
    for split, (exact, near) in PLANTED.items():
        taken, train = train[: exact + near], train[exact + near :]
        retyped = [row.text.upper().rstrip(".!?") if i < exact else f"{row.text} Today." for i, row in enumerate(taken)]
        copies = [
            Example(f"{split}-copy-{i}", text, row.label)
            for i, (row, text) in enumerate(zip(taken, retyped, strict=True))
        ]
        examples[split] = [*examples[split], *copies]
    return replace(source, examples=examples)


def layouts() -> Figure:
    """Draw the two layouts as training texts and as questions, piece by piece."""
    ask = "the probability of every label"
    rows: list[tuple[str, Sequence[Piece], str]] = [
        ("A labelled text, in training", render_example(CAT, "sad"), ""),
        ("The same text as a question: what do they feel?", render_emotion_question(CAT), ask),
        ("A conversation, in training, that names the emotion", render_dialogue(TALK), ""),
        ("The same conversation without it (training shows both)", render_dialogue(TALK, emotion_after=()), ""),
        (
            "As a question: what would a good listener say?",
            render_reply_question(TALK.turns[:1]),
            "words, up to a mark",
        ),
    ]
    figure, axes = character_grid(lines=3.2 * len(rows) + 1.8)
    for number, (title, pieces, answer) in enumerate(rows):
        y = 3.2 * number
        say(axes, 0, y + 0.6, title, bold=True)
        x = 0.0
        for piece in pieces:
            x = box(axes, x, y + 1.8, piece.text.strip(), LEARNED if piece.weight else GIVEN)
        if answer:
            axes.annotate("", (x + 4.5, y + 1.8), (x + 0.5, y + 1.8), arrowprops={"arrowstyle": "->", "color": INK})
            axes.text(x + 5.5, y + 1.8, answer, fontsize=10, color=INK, va="center", style="italic")
    key(axes, 3.2 * len(rows) + 0.9)
    return figure


def learned_mask() -> Figure:
    """Draw which tokens are learned, the shift by one, and who may look at whom."""
    codec = companion().codec
    [tokens] = codec.encode([render_example(CAT, "sad")])
    words, batch = spell(codec, tokens), pad([tokens])
    figure = Figure(figsize=(WIDTH, 6.8), facecolor=PAPER)
    _draw_shift(character_grid_in(figure, (0.02, 0.64, 0.96, 0.35), lines=10.2), words, tokens)
    _draw_who_sees_whom(figure, words, batch)
    return figure


def _draw_shift(axes: "Axes", words: Sequence[str], tokens: Tokens) -> None:
    following = [*words[1:], ""]
    learned = [*(tokens.weights[1:] > 0), False]
    say(axes, 0, 0.7, "The model reads", bold=True)
    say(axes, 0, 7.4, "↑ What it says at each token, what comes next: the same text, moved by one", bold=True)
    x = 0.0
    for word, next_word, counts, weight in zip(words, following, learned, tokens.weights, strict=True):
        right = x + max(len(word), len(next_word)) + 1.2
        box(axes, x, 2.1, word, LEARNED if weight else GIVEN, right - x)
        if next_word:
            box(axes, x, 5.6, next_word, LEARNED if counts else FAINT, right - x)
            middle = (x + right) / 2
            axes.annotate(
                "",
                (middle, 4.85),
                (middle, 2.85),
                arrowprops={"arrowstyle": "->", "color": INK if counts else "#cfccc5"},
            )
        x = right + 0.6
    key(axes, 9.2, ignored="said, and ignored")


def _draw_who_sees_whom(figure: Figure, words: Sequence[str], batch: Batch) -> None:
    length = len(words)
    sees = same_document_mask(np.zeros((1, length), np.int64))[0, 0].numpy()
    axes = figure.add_axes((0.2, 0.21, 0.38, 0.38 * 7 / 6.8))
    asked = np.append(batch.weights[0, 1:length] > 0, False)
    for i, j in np.ndindex(sees.shape):
        colour = (ASKED if asked[i] else GIVEN) if sees[i, j] else NEITHER
        axes.add_patch(
            Rectangle((j - 0.5, i - 0.5), 1, 1, color=colour, ec=PAPER, lw=1.5, alpha=0.85 if sees[i, j] else 1)
        )
    axes.set(xlim=(-0.5, length - 0.5), ylim=(length - 0.5, -0.5))
    axes.set_xticks(
        range(length), words, rotation=60, ha="right", rotation_mode="anchor", family="monospace", fontsize=9
    )
    axes.set_yticks(range(length), words, family="monospace", fontsize=9)
    axes.set_xlabel("… at this one", fontsize=10, color=INK)
    axes.set_title("This token may look …", fontsize=10, color=INK, loc="left", fontweight="bold")
    bare(axes)
    notes = (
        (0.50, GIVEN, "may look; its answer is ignored"),
        (0.44, ASKED, "may look; its answer is learned"),
        (0.38, NEITHER, "may not look: the future"),
    )
    for y, colour, text in notes:
        figure.patches.append(
            Rectangle((0.62, y - 0.012), 0.022, 0.024, color=colour, transform=figure.transFigure, figure=figure)
        )
        figure.text(0.655, y, text, fontsize=9.2, color=INK, va="center")


def packing() -> Figure:
    """Draw the same conversations and texts padded and packed, and the mask of the row that holds most of them."""
    width = 256
    documents = _documents_for_a_companion(companion().codec, width)
    padded, packed = pad(documents), pack(documents, width)
    figure = Figure(figsize=(WIDTH, 6.2), facecolor=PAPER)
    upper = figure.add_axes((0.09, 0.63, 0.88, 0.3))
    lower = figure.add_axes((0.09, 0.12, 0.42, 0.38))
    right = figure.add_axes((0.62, 0.12, 0.35, 0.3954))
    # padded rows hold a document each: number them by row, so that colours and numbers are those of the packed rows
    lengths = [len(document) for document in documents]
    _draw_rows(upper, [[(i, length)] for i, length in enumerate(lengths)], padded.input_ids.shape[1])
    _draw_rows(lower, _contents(packed, lengths), width)
    upper.set_title(
        _share("Padded, a row for each document", padded, sum(lengths)),
        fontsize=10,
        loc="left",
        color=INK,
        fontweight="bold",
    )
    lower.set_title(_share("Packed", packed, sum(lengths)), fontsize=10, loc="left", color=INK, fontweight="bold")
    for axes in (upper, lower):
        axes.set_xlabel("place in the row (tokens)", fontsize=9.5, color=INK)
        axes.set_ylabel("row", fontsize=9.5, color=INK)
    _draw_blocks(right, packed)
    return figure


def _documents_for_a_companion(codec: Codec, width: int) -> list[Tokens]:
    """Take some built-in conversations and situations, as `--task companion` learns them together."""
    source = read_builtin()
    [dialogues], [examples] = source.dialogues.values(), source.examples.values()
    rendered = [render_dialogue(dialogue) for dialogue in dialogues[::80]]
    rendered += [render_example(example.text, example.label) for example in examples[::400]]
    return codec.encode(rendered, max_tokens=width)


def _contents(packed: Batch, lengths: Sequence[int]) -> list[list[tuple[int, int]]]:
    """Give for each packed row the (number, length) of its documents, told by their lengths."""
    waiting = list(range(len(lengths)))
    rows = []
    for row in packed.documents if packed.documents is not None else ():
        found = [int((row == number).sum()) for number in range(row.max() + 1)]
        numbers = [waiting.pop(next(i for i, n in enumerate(waiting) if lengths[n] == size)) for size in found]
        rows.append(list(zip(numbers, found, strict=True)))
    return rows


def _share(title: str, batch: Batch, tokens: int) -> str:
    rows, width = batch.input_ids.shape
    return f"{title}: {rows} × {width}, {100 * tokens / (rows * width):.0f}% used"


def _draw_rows(axes: "Axes", rows: Sequence[Sequence[tuple[int, int]]], width: int) -> None:
    for y, row in enumerate(rows):
        axes.add_patch(Rectangle((0, y - 0.4), width, 0.8, fc=NEITHER, ec="#cfccc5", hatch="////", lw=0))
        start = 0
        for number, length in row:
            colour = ON_THEIR_OWN[number % len(ON_THEIR_OWN)]
            axes.add_patch(Rectangle((start, y - 0.4), length, 0.8, fc=colour, ec=PAPER, lw=1.2))
            if length > 0.04 * width:
                axes.text(
                    start + length / 2,
                    y,
                    str(number + 1),
                    ha="center",
                    va="center_baseline",
                    fontsize=8,
                    color="#000000",
                )
            start += length
    axes.set(xlim=(0, width), ylim=(len(rows) - 0.4, -0.6))
    axes.set_yticks(range(len(rows)), [str(row + 1) for row in range(len(rows))])
    bare(axes)


def _draw_blocks(axes: "Axes", packed: Batch) -> None:
    assert packed.documents is not None
    fullest = int(packed.documents.max(axis=1).argmax())
    row = packed.documents[fullest : fullest + 1]
    picture = np.where(same_document_mask(row)[0, 0].numpy(), 1.0, 0.0)
    picture[row[0] < 0] = 0.0  # padding looks at padding, which means nothing
    from matplotlib.colors import ListedColormap

    axes.imshow(picture, cmap=ListedColormap([NEITHER, GIVEN]), interpolation="nearest", vmin=0, vmax=1)
    axes.set_title(f"Who sees whom in row {fullest + 1}", fontsize=10, loc="left", color=INK, fontweight="bold")
    axes.set_xlabel("… looks at this one (place)", fontsize=9.5, color=INK)
    axes.set_ylabel("the token here (place) …", fontsize=9.5, color=INK)
    bare(axes)


def loss() -> Figure:
    """Draw a batch with the surprise at each learned token, and how one number is made of it."""
    from buddy.inference.torch_engine import load_torch_engine
    from buddy.training.device import choose_device
    from buddy.training.loss import learned_loss

    texts = [(CAT, "sad"), ("We won!", "joyful"), ("Nobody called me.", "lonely"), ("He lied again.", "angry")]
    engine, _ = load_torch_engine(shipped("base"), "cpu", "fp32")
    documents = engine.codec.encode([render_example(text, label) for text, label in texts])
    surprises = [-scores for scores in engine.score_tokens(documents)]
    whole = learned_loss(engine.model, pad(documents), choose_device("cpu", "fp32"))
    total, count = whole.total.item(), whole.weight
    figure, axes = character_grid(lines=3.1 * len(texts) + 4.2)
    sums = [
        _draw_surprises(axes, 3.1 * row + 2.9, spell(engine.codec, document), document, surprise)
        for row, (document, surprise) in enumerate(zip(documents, surprises, strict=True))
    ]
    assert abs(sum(sums) - total) < 0.05, "the figure must show what training computes"
    places = sum(map(len, documents))
    say(axes, 0, 0.6, "Surprise at each learned token, in nats (−log of its probability)", bold=True)
    y = 3.1 * len(texts) + 2.0
    say(
        axes,
        0,
        y,
        f"loss = sum / count = {total:.2f} nats / {count:g} tokens = {total / count:.2f} nats per learned token",
        bold=True,
    )
    say(
        axes,
        0,
        y + 1.3,
        f"Logits are computed at {count:g} of the {places} tokens only: those before a learned one (with a bar below).",
        size=9.5,
    )
    return figure


def _draw_surprises(axes: "Axes", y: float, words: Sequence[str], tokens: Tokens, surprise: np.ndarray) -> float:
    x, total, count = 0.0, 0.0, 0
    for place, word in enumerate(words):
        learned = tokens.weights[place] > 0
        right = box(axes, x, y, word, LEARNED if learned else GIVEN)
        if place + 1 < len(words) and tokens.weights[place + 1] > 0:
            axes.plot([x, right - 0.6], [y + 1.0, y + 1.0], color=INK, lw=2.5, solid_capstyle="butt")
        if learned:
            total += round(float(surprise[place - 1]), 2)
            count += 1
            axes.text(
                (x + right - 0.6) / 2,
                y - 1.05,
                f"{surprise[place - 1]:.2f}",
                ha="center",
                va="center",
                fontsize=9.5,
                color=LEARNED,
                fontweight="bold",
            )
        x = right
    say(axes, CHARACTERS, y, f"sum {total:.2f}, count {count}", side="right", size=9.5)
    return total


LABELS_IN_TREE = ("sad", "sad and lonely", "sad and tired", "very sad", "lonely")
TREE_TEXT = "My dog died last week and the house is so quiet."


def label_scoring() -> Figure:
    """Draw the trie of a few labels with real log-probabilities, and the sums along its paths."""
    classifier = replace(companion(), labels=LABELS_IN_TREE, temperature=1.0)
    codec = classifier.codec
    trie = label_trie(codec, LABELS_IN_TREE)
    at = _log_probabilities(classifier)
    raw = [sum(at[edge] for edge in path) for path in trie.paths]
    shares = np.exp(classifier.log_scores([TREE_TEXT])[0])
    assert np.allclose(np.exp(log_softmax(np.array([raw]))[0]), shares, atol=0.02), (
        "sums along the paths are the scores"
    )
    figure, axes = character_grid(lines=13.6)
    _draw_tree(axes, codec, trie.paths, at)
    for row, (label, total, share) in enumerate(zip(LABELS_IN_TREE, raw, shares, strict=True)):
        y = 3.6 + 2.2 * row
        say(axes, 54, y, label, bold=True)
        say(axes, 79, y, number(total), side="right")
        say(axes, CHARACTERS, y, _percent(share), side="right")
    for x, side, words in ((54, "left", "label"), (79, "right", "sum"), (CHARACTERS, "right", "probability")):
        axes.text(x, 1.9, words, fontsize=9.5, color=FAINT, va="center", ha=side)
    say(axes, 0, 0.5, f"“{TREE_TEXT} <EMOTION_TYPE>” …")
    return figure


def number(value: float) -> str:
    """Write a number with two digits, a real minus, and no minus before a zero."""
    return f"{value:.2f}".replace("-0.00", "0.00").replace("-", "−")


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%" if share >= 0.001 else "< 0.1%"


def _log_probabilities(classifier: Classifier) -> dict[tuple[int, int], float]:
    """Give log P(token) at each (node, token) of the labels' trie, from the model itself, as it will be written."""
    codec = classifier.codec
    trie = label_trie(codec, LABELS_IN_TREE)
    [question] = codec.encode([render_emotion_question(TREE_TEXT)])
    found: dict[tuple[int, int], float] = {}
    for path in trie.paths:
        ids = np.append(question.ids, [token for _, token in path])
        [scores] = classifier.engine.score_tokens([Tokens(ids, np.ones(len(ids), np.float32))])
        found |= {edge: round(float(score), 2) for edge, score in zip(path, scores[-len(path) :], strict=True)}
    return found


Paths = Sequence[Sequence[tuple[int, int]]]


def _draw_tree(axes: "Axes", codec: Codec, paths: Paths, at: dict[tuple[int, int], float]) -> None:
    """Put each label's leaf on the row of its sum, and each shared beginning in the middle of its labels."""
    columns = (10.0, 26.0, 42.0)
    rows: dict[tuple[tuple[int, int], ...], list[float]] = {}
    for row, path in enumerate(paths):
        for size in range(1, len(path) + 1):
            rows.setdefault(tuple(path[:size]), []).append(3.6 + 2.2 * row)
    place = {prefix: (columns[len(prefix) - 1], float(np.mean(ys))) for prefix, ys in rows.items()}
    root = (1.0, float(np.mean([y for prefix, (_, y) in place.items() if len(prefix) == 1])))
    axes.plot(*root, "o", color=INK, markersize=7, zorder=3)
    for prefix, (x, y) in place.items():
        word = codec.decode([prefix[-1][1]]).strip()
        from_x, from_y = root
        if len(prefix) > 1:
            parent = place[prefix[:-1]]
            from_x, from_y = parent[0] + len(codec.decode([prefix[-2][1]]).strip()) + 1.2, parent[1]
        axes.plot([from_x, x], [from_y, y], color=FAINT, lw=1.2, zorder=1)
        right = box(axes, x, y, "end" if word == END else word, LEARNED)
        axes.text(
            (from_x + x) / 2,
            (from_y + y) / 2,
            number(at[prefix[-1]]),
            fontsize=8.8,
            color=INK,
            ha="center",
            va="center",
            bbox={"fc": PAPER, "ec": "none", "pad": 1},
        )
        if tuple(prefix) in map(tuple, paths):
            axes.plot([right, 53], [y, y], ":", color="#bbb8b0", lw=1)


def calibration() -> Figure:
    """Draw the reliability of the last model of a run before and after a temperature is fitted.

    `buddy evaluate` fits none for a model without its run. What it does for the one that a run has kept is done here.
    """
    truth, before, after = _calibrated()
    bins = Reliability(tuple(reliability(before, truth)), tuple(reliability(after, truth)))
    return draw_calibration(bins, expected_calibration_error(before, truth), expected_calibration_error(after, truth))


def print_calibration() -> None:
    """Print the calibration errors that the figure shows."""
    truth, before, after = _calibrated()
    errors = [100 * expected_calibration_error(answers, truth) for answers in (before, after)]
    print(f"calibration error: {errors[0]:.1f} points without a temperature, {errors[1]:.1f} with one, cross-fitted")


def _calibrated() -> tuple[Integers, Floats, Floats]:
    """Give the true labels (N,) and the probabilities (N, E) before and after a cross-fitted temperature."""
    with np.load(ANSWERS) as kept:
        log_scores, truth = kept["log_scores"].astype(np.float64), kept["truth"].astype(np.int64)
    return truth, temper(log_scores, 1.0), cross_fitted(log_scores, truth)


@dataclass(frozen=True)
class Point:
    """What the figure of early stopping shows of a line of ``history.jsonl``."""

    epoch: float
    train: float
    valid: float


def early_stopping() -> Figure:
    """Replay a recorded history through ``EarlyStopping`` and draw what it did."""
    history = [
        Point(line["epoch"], line["train_loss"], line["valid_loss"])
        for line in map(json.loads, HISTORY.read_text("utf-8").splitlines())
    ]
    stopping = EarlyStopping(patience=4)
    since = []
    for number, point in enumerate(history):
        stopping.is_new_best(-point.valid, number)
        since.append(stopping.evaluations_since)
    assert stopping.is_exhausted(), "the recorded run was stopped by its patience"
    best, last = history[stopping.best_step], history[-1]
    figure = Figure(figsize=(WIDTH, 3.9), layout="constrained", facecolor=PAPER)
    axes = figure.subplots()
    axes.grid(True, color=LIGHT.faint, lw=0.7)
    epochs = [point.epoch for point in history]
    axes.plot(
        epochs, [point.train for point in history], "s--", color=LIGHT.before, lw=1.6, markersize=4.5, label="train"
    )
    axes.plot(epochs, [point.valid for point in history], "o-", color=LIGHT.after, lw=2, markersize=5, label="valid")
    axes.plot([best.epoch], [best.valid], "o", mfc="none", mec=LIGHT.after, mew=1.8, markersize=13)
    axes.axvspan(last.epoch, 8, color=NEITHER, lw=0)
    axes.axvline(last.epoch, color=INK, lw=1.2)
    low, high = axes.get_ylim()
    axes.set(xlim=(0, 8), ylim=(low, high + 0.12 * (high - low)))
    for point, count in zip(history, since, strict=True):
        if count:
            axes.annotate(
                str(count),
                (point.epoch, point.valid),
                (-8 if point is last else 0, 8),
                textcoords="offset points",
                ha="center",
                fontsize=9.5,
                color=INK,
            )
    axes.annotate(
        f"best: {best.valid:.3f},\nkept in best/",
        (best.epoch, best.valid),
        (10, -36),
        textcoords="offset points",
        fontsize=9.5,
        color=INK,
    )
    say(
        axes,
        last.epoch + 0.12,
        low + 0.5 * (high - low),
        "patience of 4 has run out:\nthe run ends here.\n\nIt might have gone on\nto epoch 8.",
        size=9.5,
    )
    axes.set_xlabel("epoch (passes over the train split)", fontsize=9.5, color=INK)
    axes.set_ylabel("loss (nats per learned token)", fontsize=9.5, color=INK)
    axes.tick_params(colors=INK, labelsize=9, length=0)
    axes.set_title(
        "Evaluations since the best one are counted", loc="left", fontsize=10.5, color=INK, fontweight="bold"
    )
    for side in axes.spines.values():
        side.set_visible(False)
    figure.legend(loc="outside lower left", ncols=2, fontsize=9.5, labelcolor=INK, frameon=False)
    return figure


def accuracy() -> Figure:
    """Draw how the companion that comes with buddy was fine-tuned, as `buddy evaluate` draws a run."""
    lines = map(json.loads, COMPANION_HISTORY.read_text("utf-8").splitlines())
    history = [HistoryRow(step, **line) for step, line in enumerate(lines)]
    best = max(range(len(history)), key=lambda row: history[row].valid_accuracy or 0.0)
    return draw_curve(accuracy_curve(history, best))


DIALOGUES_APART, EXAMPLES_APART = 32, 91
"""Of the built-in texts, so many as fill the figure; one of them must be held out, or there would be no corpus."""


def reading() -> Figure:
    """Draw rows as `buddy pretrain` writes them, and how the base model that comes with buddy learned to read."""
    figure = Figure(figsize=(WIDTH, 3.7), facecolor=PAPER)
    left, right = figure.add_axes((0.08, 0.15, 0.49, 0.72)), figure.add_axes((0.685, 0.15, 0.295, 0.72))
    width = 256
    rows = _rows_of_a_corpus(width)
    _draw_rows(left, rows, width)
    left.set_title("Rows to read", fontsize=10, loc="left", color=INK, fontweight="bold")
    left.set_xlabel("place in the row (tokens)", fontsize=9.5, color=INK)
    left.set_ylabel("row", fontsize=9.5, color=INK)
    _draw_bits(right)
    return figure


def _rows_of_a_corpus(width: int) -> list[list[tuple[int, int]]]:
    """Write a long text, conversations and short texts as a corpus; give the (number, length) of what its rows hold."""
    source = read_builtin()
    [dialogues], [examples] = source.dialogues.values(), source.examples.values()
    diary = " ".join(row.text for row in examples if row.label == "nostalgic")[:2600]
    records = [{"text": diary}, *({"turns": list(one.turns)} for one in dialogues[::DIALOGUES_APART])]
    records += [{"text": row.text} for row in examples[::EXAMPLES_APART]]
    codec = companion().codec
    with TemporaryDirectory() as folder:
        file = CorpusFile(Path(folder) / "texts.jsonl")
        file.path.write_text("".join(f"{json.dumps(record)}\n" for record in records), "utf-8")
        passages = codec.encode([render_passage(passage, with_emotion=False) for passage in read_passages(file, 13)])
        number_of = {
            passage.ids[start : start + width].tobytes(): number_
            for number_, passage in enumerate(passages)
            for start in range(0, len(passage), width)
        }
        write_corpus(Path(folder) / "corpus", [file], codec.backend, labels=(), width=width, seed=13)
        rows = [
            np.split(row.ids, np.flatnonzero(row.ids[:-1] == codec.special_ids[END]) + 1)
            for row in read_corpus(Path(folder) / "corpus").rows("train")
        ]
    return [[(number_of[piece.tobytes()], len(piece)) for piece in row] for row in rows]


def _draw_bits(axes: "Axes") -> None:
    points = [json.loads(line) for line in READING_HISTORY.read_text("utf-8").splitlines()]
    steps, bits = [point["step"] for point in points], [point["valid_bits_per_byte"] for point in points]
    axes.grid(True, color=LIGHT.faint, lw=0.7)
    axes.plot(steps, bits, "o-", color=LIGHT.after, lw=2, markersize=5)
    for step, value in zip(steps, bits, strict=True):
        axes.annotate(
            f"{value:.3f}",
            (step, value),
            (3, 5) if step < steps[-1] else (3, -13),
            textcoords="offset points",
            fontsize=8.5,
            color=INK,
        )
    axes.set(xlim=(350, 4800), ylim=(1.2, 1.45))
    axes.set_xticks([1000, 2000, 3000, 4000])
    axes.set_title("Bits per byte, held out", fontsize=10, loc="left", color=INK, fontweight="bold")
    axes.set_xlabel("step (128 rows each)", fontsize=9.5, color=INK)
    bare(axes)
    axes.tick_params(labelsize=8.5)


TALK_TO_REPLY_TO = ("I lost my cat.", "Oh no, what happened?", "She ran away.")
REPLY_SEED = 176
COLUMNS = {"after talk": 59, "alone": 70, "score": 79}


def keep_candidates() -> None:
    """Have the companion write its candidates for a reply, and keep them."""
    model, sampling = companion(), replace(TO_CHOOSE_FROM, seed=REPLY_SEED)
    [question] = model.codec.encode([render_reply_question(TALK_TO_REPLY_TO)])
    written = model.engine.generate([question] * Replies().candidates, sampling, model.codec.reply_ends)
    assert all(len(ids) < sampling.max_tokens for ids in written), "a reply that was cut would lose its last sentence"
    write_json(WRITTEN, {"turns": TALK_TO_REPLY_TO, "seed": REPLY_SEED, "replies": written})


def candidates() -> Figure:
    """Draw the candidates for a reply as they are chosen from: bad ones dropped, the others by their score."""
    model, kept = companion(), json.loads(WRITTEN.read_text("utf-8"))
    turns, replies = kept["turns"], kept["replies"]
    [question] = model.codec.encode([render_reply_question(turns)])
    written = score_answers(model.engine, question, replies, model.codec.special_ids[SPEAKER])
    rows = judge(model, written, TO_CHOOSE_FROM.max_tokens)
    good = [one for one in rows if is_good(one.text, turns)]
    best = max(good, key=lambda one: (not one.made_up, one.score))
    assert 0 < len(good) < len(rows), "the figure shows one that is dropped"
    figure, axes = character_grid(lines=1.7 * len(turns) + 1.9 * len(rows) + 4.2)
    say(axes, 0, 0.7, "The conversation so far", bold=True)
    for row, turn in enumerate(turns):
        y = 2.3 + 1.7 * row
        say(axes, 0, y, "listener" if row % 2 else "speaker", size=9.5)
        box(axes, 12, y, turn, GIVEN)
    top = 2.3 + 1.7 * len(turns) + 0.6
    say(axes, 0, top, f"{len(rows)} candidates (seed {kept['seed']})", bold=True)
    for name, x in COLUMNS.items():
        say(axes, x, top, name, 9.5, bold=True)
    for row, one in enumerate(sorted(rows, key=lambda one: (one not in good, -one.score))):
        y = top + 1.8 + 1.9 * row
        right = box(axes, 0, y, one.text, GIVEN if one in good else FAINT)
        if one not in good:
            axes.plot([0.6, right - 1.2], [y, y], color=INK, lw=1.1)
            say(axes, COLUMNS["score"], y, "dropped", size=9.5)
            continue
        for x, value in zip(COLUMNS.values(), (one.answering, one.alone, one.score), strict=True):
            say(axes, x, y, number(value), 9.5, bold=one is best)
        if one is best:
            say(axes, COLUMNS["score"] + 6, y, "said", 9.5, bold=True)
    return figure


def shipped(name: str) -> Path:
    """Find a model that comes with buddy."""
    folder = find_model(name)
    assert folder is not None
    return folder


def companion() -> Classifier:
    """Load the companion that comes with buddy."""
    return load_classifier(shipped("companion"))


def spell(codec: Codec, tokens: Tokens) -> list[str]:
    """Give each token of a document as text, without the space that it begins with."""
    return [codec.decode([int(token)]).strip() for token in tokens.ids]


def character_grid(lines: float) -> "tuple[Figure, Axes]":
    """Make a figure that is measured in monospaced characters across and in lines downwards."""
    figure = Figure(figsize=(WIDTH, 0.26 * lines), facecolor=PAPER)
    return figure, character_grid_in(figure, (0.02, 0.01, 0.96, 0.98), lines)


def character_grid_in(figure: Figure, place: tuple[float, float, float, float], lines: float) -> "Axes":
    """Make such axes in a part of a figure."""
    axes = figure.add_axes(place)
    axes.set(xlim=(-0.3, CHARACTERS), ylim=(lines, 0))
    axes.axis("off")
    return axes


def box(axes: "Axes", x: float, y: float, text: str, colour: str, width: float | None = None) -> float:
    """Draw a token or piece in a box and give where the next one begins; learned ones have a thick lower edge."""
    width = len(text) + 1.2 if width is None else width
    axes.add_patch(
        FancyBboxPatch(
            (x, y - 0.65), width, 1.3, boxstyle="round,pad=0,rounding_size=0.25", fc=TINTS[colour], ec=colour, lw=0.8
        )
    )
    if colour == LEARNED:
        axes.plot([x + 0.3, x + width - 0.3], [y + 0.65, y + 0.65], color=colour, lw=2.6, solid_capstyle="butt")
    axes.text(x + width / 2, y, text, fontsize=8.6, family="monospace", color=colour, ha="center", va="center")
    return x + width + 0.6


def say(axes: "Axes", x: float, y: float, text: str, size: float = 10, side: str = "left", bold: bool = False) -> None:
    """Write text beside or above boxes."""
    axes.text(x, y, text, fontsize=size, color=INK, ha=side, va="center", fontweight="bold" if bold else "normal")


def key(axes: "Axes", y: float, ignored: str | None = None) -> None:
    """Say what the colours of tokens mean."""
    x = box(axes, 0, y, "read", GIVEN)
    x = box(axes, x + 1, y, "learned", LEARNED)
    if ignored:
        box(axes, x + 1, y, ignored, FAINT)


def bare(axes: "Axes") -> None:
    """Leave axes their labels only."""
    axes.tick_params(colors=INK, labelsize=9, length=0)
    for side in axes.spines.values():
        side.set_visible(False)


FIGURES: dict[str, Callable[[], Figure]] = {
    "audit": audit,
    "layouts": layouts,
    "learned-mask": learned_mask,
    "packing": packing,
    "loss": loss,
    "label-scoring": label_scoring,
    "calibration": calibration,
    "early-stopping": early_stopping,
    "accuracy": accuracy,
    "reading": reading,
    "candidates": candidates,
}

if __name__ == "__main__":
    main()
