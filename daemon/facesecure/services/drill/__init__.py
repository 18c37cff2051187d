"""A whole alarm, rehearsed: a stranger's picture goes in at the camera's end, and each step is timed."""
