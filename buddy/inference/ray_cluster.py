"""A Ray cluster to work on: one that is there, or one on this machine for as long as the work takes."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from buddy.errors import BuddyError, EnvironmentFault, UserMistake, explain, install, is_out_of_memory

NEW_CLUSTER = "local"
"""Ray's word for a cluster of one's own, also where another one runs on this machine."""

OBJECT_STORE_BYTES = 100_000_000
"""Of a cluster on this machine: what goes through Ray is small, the texts of files do not."""


@contextmanager
def joined_cluster(address: str | None, advice: str = "") -> Iterator[Any]:
    """Join a cluster, or start one; Ray is told to keep its remarks, and its reports of use, to itself.

    Args:
        address: of the cluster; ``None``: what RAY_ADDRESS says, or a new one.
        advice: what to do when a worker or the cluster fails; a sentence.

    Raises:
        UserMistake: there is no cluster at the address.
        EnvironmentFault: Ray is not installed, or a worker or the cluster fails in the block.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
        import ray.data
    except ModuleNotFoundError as error:
        raise EnvironmentFault(f"A cluster needs Ray: {install('ray')}.") from error
    address = address_of(address)
    own: dict[str, Any] = {"include_dashboard": False, "object_store_memory": OBJECT_STORE_BYTES}
    options = own if address == NEW_CLUSTER else {}
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **options)
    except Exception as error:  # a plain one, too, when a node is slow to start
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise UserMistake(f"There is no Ray cluster that can be used at {address}: {reason}.") from error
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        yield ray
    except ray.exceptions.RayError as error:
        cause = _cause_of(error)
        if isinstance(cause, BuddyError):
            raise cause from error
        raise EnvironmentFault(f"The work on the Ray cluster failed: {reason_of(cause)}. {advice}".strip()) from error
    finally:
        ray.shutdown()


def address_of(given: str | None) -> str:
    """Say which cluster is joined: the one that is given, the one that RAY_ADDRESS names, or a new one."""
    return given or os.environ.get("RAY_ADDRESS") or NEW_CLUSTER


def reason_of(error: BaseException) -> str:
    r"""Say in a line why work on a node failed, whatever was raised there; without a full stop.

    Example:
        >>> reason_of(OSError(28, "No space left on device")), reason_of(ValueError("no such layer.\nLong story."))
        ('No space left on device; free some space and try again', 'ValueError: no such layer')
    """
    if is_out_of_memory(error):
        return "memory ran out"
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{explain(error)}".splitlines()[0].rstrip(".")
    lines = str(error).strip().splitlines()
    return ": ".join([type(error).__name__, *lines[:1]]).rstrip(".")


def _cause_of(error: BaseException) -> BaseException:
    """Give what was raised on a worker; Ray wraps it, with a traceback of pages for its text."""
    inner = getattr(error, "cause", None) or next(iter(error.args), None)
    return _cause_of(inner) if isinstance(inner, BaseException) else error
