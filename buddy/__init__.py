"""buddy: one small causal language model that can tell what a person feels and answer with empathy.

>>> from buddy import Buddy
>>> Buddy().emotion("I lost my cat last week.").label
'sad'
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from buddy.companion.buddy import Buddy

__version__ = "0.1.0"
__all__ = ["Buddy", "__version__"]


def __getattr__(name: str) -> Any:
    """Load ``Buddy`` when it is first asked for, so that `buddy --help` need not wait for it."""
    if name == "Buddy":
        from buddy.companion.buddy import Buddy

        return Buddy
    raise AttributeError(f"module 'buddy' has no attribute {name!r}")
