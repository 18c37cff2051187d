"""Alerts on their way to plugins: ``registry`` finds them, ``dispatcher`` hands over, ``plugin`` says what one is."""
