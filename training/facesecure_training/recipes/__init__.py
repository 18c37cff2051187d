"""How models are trained: augmentation, the loop, what a run leaves behind, and one recipe for each kind of network."""
