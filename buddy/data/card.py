"""The data card: the audit as a page that a person likes to read."""

from collections.abc import Iterable, Sequence

from buddy.data.audit import Conflicts, SplitFacts
from buddy.data.duplicates import NEAR_DUPLICATE_JACCARD
from buddy.data.report import Audit
from buddy.errors import counted
from buddy.records import Example

EXAMPLE_ROWS = 5
TEXT_CHARACTERS = 160
PAIRS_SHOWN = 3


def write_card(audit: Audit, train: Sequence[Example]) -> str:
    """Lay the audit out as Markdown, with a few rows of train to look at.

    Args:
        audit: what was found.
        train: the training texts; ``EXAMPLE_ROWS`` of them, evenly spaced, are shown.
    """
    sections = (
        _introduction(audit),
        _sizes(audit),
        _bullets("Worth knowing", audit.warnings),
        _rows_in_and_out(audit),
        _repetition(audit),
        _example_rows(train),
        _labels(audit),
        _making(audit),
    )
    return "\n".join(line for section in sections for line in section)


def _introduction(audit: Audit) -> list[str]:
    return [
        f"# {audit.source}",
        "",
        f"{len(audit.labels)} labels, read from `{audit.origin}`.",
        "",
        f"**Licence**: {audit.licence}",
        "",
    ]


def _sizes(audit: Audit) -> list[str]:
    with_dialogues = any(facts.conversations for facts in audit.splits.values())
    dialogues = ["conversations", "turns"] if with_dialogues else []
    head = ["split", "texts", *dialogues, "mean words", "median", "95 % have up to", "longest", "commonest label"]
    rows = (_sizes_of(split, facts, with_dialogues) for split, facts in audit.splits.items())
    return ["## Sizes", "", *_table(head, rows), ""]


def _sizes_of(split: str, facts: SplitFacts, with_dialogues: bool) -> list[str]:
    words = facts.words
    dialogues = [f"{facts.conversations:,}", f"{facts.turns:,}"] if with_dialogues else []
    lengths = [f"{words.mean:.1f}", f"{words.median:g}", f"{words.p95:.0f}", f"{words.max:,}"]
    commonest = f"{_cell(next(iter(facts.per_label)))} ({facts.majority_share:.1%})"
    return [split, f"{facts.rows:,}", *dialogues, *lengths, commonest]


def _rows_in_and_out(audit: Audit) -> list[str]:
    read = ", ".join(f"{count:,} in {split}" for split, count in audit.rows_read.items())
    return [
        "## Rows read, dropped and changed",
        "",
        f"Rows read: {read}.",
        "",
        *_counts("Dropped", audit.dropped.items()),
        *_counts("Changed or left out", audit.notes.items()),
    ]


def _repetition(audit: Audit) -> list[str]:
    within = (
        (split, f"{audit.exact_duplicates[split]:,}", _count(audit.near_duplicates.get(split)))
        for split in audit.splits
    )
    return [
        "## Repetition, contradiction, leakage",
        "",
        "Texts are compared without case, punctuation and spacing; *nearly the same* means that they share "
        f"{NEAR_DUPLICATE_JACCARD:.0%} of their word pairs.",
        "",
        *_table(("within", "said before, word for word", "nearly the same as another"), within),
        "",
        *_overlaps(audit),
        *_contradictions(audit.conflicting_labels),
    ]


def _count(number: int | None) -> str:
    return "not looked for" if number is None else f"{number:,}"


def _overlaps(audit: Audit) -> list[str]:
    if not audit.overlap:
        return []
    counts = ((pair, f"{found.exact:,}", _count(found.near)) for pair, found in audit.overlap.items())
    shown = (
        f"{splits}: “{_cell(pair.first_text)}” — “{_cell(pair.second_text)}”"
        for splits, found in audit.overlap.items()
        for pair in found.examples[-PAIRS_SHOWN:]
    )
    lines = [*_table(("rows of the second that also stand in the first", "word for word", "nearly"), counts), ""]
    lines += _list(shown)
    if any(audit.leaks_dropped.values()):
        texts = counted(audit.leaks_dropped["examples"], "text")
        conversations = counted(audit.leaks_dropped["dialogues"], "conversation")
        lines += [f"Taken out of train for this: {texts}, {conversations}.", ""]
    return lines


def _contradictions(conflicts: Conflicts) -> list[str]:
    shown = (f"“{_cell(one.text)}” is {_listed_counts(one.labels.items())}" for one in conflicts.examples[:PAIRS_SHOWN])
    rows = counted(conflicts.rows, "row")
    return [f"Texts with several labels: {conflicts.texts:,} ({rows}).", "", *_list(shown)]


def _example_rows(train: Sequence[Example]) -> list[str]:
    step = max(1, len(train) // EXAMPLE_ROWS)
    rows = (tuple(map(_cell, (row.id, row.label, row.text))) for row in train[::step][:EXAMPLE_ROWS])
    return ["## Examples", "", *_table(("id", "label", "text"), rows), ""]


def _labels(audit: Audit) -> list[str]:
    head = ("label", *audit.splits)
    rows = (
        (_cell(label), *(f"{facts.per_label.get(label, 0):,}" for facts in audit.splits.values()))
        for label in audit.labels
    )
    return ["## Labels", "", *_table(head, rows), ""]


def _making(audit: Audit) -> list[str]:
    settings = _list(f"{name}: `{value}`" for name, value in audit.settings.items())
    return ["## How it was made", "", "`buddy prepare` with", "", *settings, "All counts are in `audit.json`.", ""]


def _bullets(title: str, sentences: Sequence[str]) -> list[str]:
    return [f"## {title}", "", *_list(map(_plain, sentences))] if sentences else []


def _counts(title: str, counts: Iterable[tuple[str, int]]) -> list[str]:
    lines = _list(f"{count:,}: {what}" for what, count in counts)
    return [f"{title}:", "", *lines] if lines else [f"{title}: nothing.", ""]


def _listed_counts(counts: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{_cell(label)} ({count}×)" for label, count in counts)


def _list(sentences: Iterable[str]) -> list[str]:
    lines = [f"- {sentence}" for sentence in sentences]
    return [*lines, ""] if lines else []


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def _cell(text: str) -> str:
    """Make any text safe inside a table: one line, not too long, no character with a meaning of its own."""
    return _plain(text if len(text) <= TEXT_CHARACTERS else f"{text[:TEXT_CHARACTERS]}…")


def _plain(short: str) -> str:
    r"""Take from every character the meaning that Markdown or HTML gives it.

    Example:
        >>> print(_plain("a | b <i>"))
        a \| b &lt;i>
    """
    for character, escaped in (("\\", "\\\\"), ("&", "&amp;"), ("<", "&lt;"), *((c, f"\\{c}") for c in "|*_`[")):
        short = short.replace(character, escaped)
    return short
