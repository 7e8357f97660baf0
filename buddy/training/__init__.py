"""From batches to a run directory: backbone, loss, schedule, the loop, exact resume."""
