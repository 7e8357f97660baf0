"""From a checkpoint to probabilities and words."""
