"""A Ray cluster to work on: one that is there, or one on this machine for as long as the work takes."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from buddy.errors import EnvironmentFault, UserMistake, install

NEW_CLUSTER = "local"
"""Ray's word for a cluster of one's own, also where another one runs on this machine."""

OBJECT_STORE_BYTES = 100_000_000
"""Of a cluster on this machine: what goes through Ray is small, the texts of files do not."""


@contextmanager
def joined_cluster(address: str | None) -> Iterator[Any]:
    """Join a cluster, or start one; Ray is told to keep its remarks, and its reports of use, to itself.

    Args:
        address: of the cluster; ``None``: what RAY_ADDRESS says, or a new one.

    Raises:
        UserMistake: there is no cluster at the address.
        EnvironmentFault: Ray is not installed.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
        import ray.data
    except ModuleNotFoundError as error:
        raise EnvironmentFault(f"A cluster needs Ray: {install('ray')}.") from error
    address = address or os.environ.get("RAY_ADDRESS") or NEW_CLUSTER
    own: dict[str, Any] = {"include_dashboard": False, "object_store_memory": OBJECT_STORE_BYTES}
    options = own if address == NEW_CLUSTER else {}
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **options)
    except (ConnectionError, ValueError, RuntimeError, ray.exceptions.RayError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise UserMistake(f"There is no Ray cluster that can be used at {address}: {reason}.") from error
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        yield ray
    finally:
        ray.shutdown()
