"""The models that come with buddy, by name.

``base`` to fine-tune from, ``companion`` to use at once, and ``guard``, the second reader of the crisis guard.

How they were made, from what and under which licence: docs/model-card.md.
"""

from pathlib import Path

NAMES = ("base", "companion", "guard")


def find_model(name: str) -> Path | None:
    """Give the folder of a model that comes with buddy, or ``None`` if none has this name.

    Example:
        >>> find_model("gpt2") is None
        True
    """
    return Path(__file__).parent / name if name in NAMES else None
