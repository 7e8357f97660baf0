"""The command line: wires arguments to the parts and turns failures into one clear sentence."""

from buddy.cli.app import main

__all__ = ["main"]
