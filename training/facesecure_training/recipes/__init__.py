"""How models are trained: augmentation, the training loop, the run's folder, and one recipe per kind of network."""
