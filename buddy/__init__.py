"""buddy: one small causal language model that can tell what a person feels and answer with empathy."""

__version__ = "0.1.0"
