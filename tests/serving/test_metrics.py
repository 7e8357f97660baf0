"""The counts of several worker processes."""

import os
import subprocess
import sys

COUNT = """
import os
from buddy.serving.metrics import Metrics
metrics = Metrics()
metrics.running.inc()
metrics.refused.labels("busy").inc()
print(metrics.render().decode(), flush=True)
os._exit(1)
"""


def test_what_ran_in_a_worker_that_died_runs_no_more_and_what_it_counted_stays(tmp_path):
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    command = [sys.executable, "-c", COUNT]
    first, second = (
        subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False).stdout
        for _ in range(2)
    )
    assert "buddy_requests_running 1.0" in first
    assert "buddy_requests_running 1.0" in second
    assert 'buddy_refused_total{reason="busy"} 2.0' in second
