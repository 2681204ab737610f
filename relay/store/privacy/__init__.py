"""Whose data a row is, and how it is found, forgotten, disclosed and scrubbed out of the files."""
