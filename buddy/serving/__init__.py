"""A companion for people and programs: the terminal, the HTTP API, the web page."""
