"""Every command, imported so that it registers itself with the app."""
