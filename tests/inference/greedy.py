"""Sampling without chance and without rules, so that two engines must choose the same tokens."""

from buddy.inference.engine import Sampling

GREEDY = Sampling(temperature=0.0, top_p=1.0, no_repeat_ngram=0)
