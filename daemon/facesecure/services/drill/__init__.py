"""Rehearse an alarm in the running daemon: show a stranger, follow the alarm step by step, save the report."""
