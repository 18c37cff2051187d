"""The networks that the daemon runs, written out in Keras."""
