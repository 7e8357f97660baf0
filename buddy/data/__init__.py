"""Sources of labelled text, read, checked, split and written down in one form.

``prepare`` turns a source into a prepared folder; ``prepared`` is that folder, and all that later parts need.
"""
