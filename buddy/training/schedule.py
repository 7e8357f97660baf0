"""The learning rate: a pure function of the step."""

import math

FINAL_SHARE = 0.1
"""The cosine ends at this share of the peak; going to zero wastes the last steps."""


def learning_rate(step: int, total_steps: int, peak: float, warmup_steps: int) -> float:
    """Give the learning rate of a step: a straight climb, then half a cosine down.

    Args:
        step: 0 for the first.
        total_steps: of the whole run as planned.
        peak: the highest rate.
        warmup_steps: length of the climb. Adam's first steps rest on few gradients; small steps keep them harmless.

    Source:
        Loshchilov & Hutter 2017, "SGDR", equation 5, without restarts; warm-up as in Vaswani et al. 2017.

    Example:
        >>> [round(learning_rate(s, total_steps=10, peak=1.0, warmup_steps=2), 2) for s in (0, 1, 2, 6, 9)]
        [0.5, 1.0, 1.0, 0.55, 0.13]
    """
    if step < warmup_steps:
        return peak * (step + 1) / warmup_steps
    done = (step - warmup_steps) / max(total_steps - warmup_steps, 1)
    return peak * (FINAL_SHARE + (1 - FINAL_SHARE) * (1 + math.cos(math.pi * done)) / 2)
