"""From a trained Keras model to the files that the daemon runs: forms, parity, what each runtime takes."""
