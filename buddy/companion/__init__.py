"""From a conversation to the next turn: what a person feels, and what a good listener would say."""
