"""A companion for people: a conversation in the terminal."""
