"""The counts of a door or a companion among the metrics that Ray exports on every node of a cluster.

Both count as the service does everywhere (``metrics.py``); every few seconds their counts are copied. A name gets
Ray's ``ray_`` in front, and its labels ``deployment`` and ``replica`` beside them: ``ray_buddy_requests_total``.
"""

import threading
import time
from typing import Any

from prometheus_client import CollectorRegistry
from ray.serve.metrics import Gauge

SECONDS = 2.0
"""Between two copies; Ray itself passes on what it has every ten seconds."""


def start_publishing(registry: CollectorRegistry) -> None:
    """Copy counts to Ray's metrics from now on, in a thread that ends with the process."""
    threading.Thread(target=_publish_for_ever, args=(registry,), daemon=True, name="metrics").start()


def _publish_for_ever(registry: CollectorRegistry) -> None:
    gauges: dict[str, Gauge] = {}
    while True:
        publish(registry, gauges)
        time.sleep(SECONDS)


def publish(registry: CollectorRegistry, gauges: dict[str, Gauge]) -> None:
    """Copy counts once.

    Args:
        registry: where they are.
        gauges: of Ray, by name; those that are missing are made.
    """
    for family in registry.collect():
        for sample in family.samples:
            if sample.name not in gauges:
                labels: Any = tuple(sample.labels)  # of any number, though Ray's type says one
                gauges[sample.name] = Gauge(sample.name, family.documentation, labels)
            gauges[sample.name].set(sample.value, dict(sample.labels))
