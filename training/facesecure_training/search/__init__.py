"""Which settings train best: random search, as Bergstra and Bengio argue for, or TPE, by Optuna."""
