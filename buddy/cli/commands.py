"""Every command, imported so that it registers itself with the app."""

from buddy.cli import bench, evaluate, prepare, report, train

__all__ = ["bench", "evaluate", "prepare", "report", "train"]
