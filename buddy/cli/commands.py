"""Every command, imported so that it registers itself with the app."""

from buddy.cli import bench, demo, evaluate, prepare, report, train

__all__ = ["bench", "demo", "evaluate", "prepare", "report", "train"]
