"""The doctor: every precondition looked at, one line each, and nothing changed."""
