"""Lets the reference show our `Example:` sections as code; the parser of docstrings knows `Examples:` only."""

import re
from typing import Any

import griffe


class ExampleSections(griffe.Extension):
    """Reads ``Example:`` as ``Examples:``; taken as prose, ``[1, 2]`` would be a link and ``<SPEAKER>`` a tag."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rename the section in each docstring that is found."""
        if obj.docstring:
            obj.docstring.value = re.sub(r"^(\s*)Example:$", r"\1Examples:", obj.docstring.value, flags=re.MULTILINE)
