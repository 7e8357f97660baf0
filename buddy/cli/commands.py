"""Every command, imported so that it registers itself with the app."""

from buddy.cli import evaluate, prepare, report, train

__all__ = ["evaluate", "prepare", "report", "train"]
