"""From a trained Keras model to the files that the daemon runs: forms, parity, and what each runtime supports."""
