"""Every command, imported so that it registers itself with the app."""

from buddy.cli import (
    bench,
    chat,
    classify,
    demo,
    evaluate,
    evaluate_safety,
    export,
    mood,
    prepare,
    pretrain,
    report,
    serve,
    train,
)

__all__ = [
    "bench",
    "chat",
    "classify",
    "demo",
    "evaluate",
    "evaluate_safety",
    "export",
    "mood",
    "prepare",
    "pretrain",
    "report",
    "serve",
    "train",
]
