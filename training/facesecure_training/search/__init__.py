"""Search for the settings that train best: at random, as Bergstra and Bengio recommend, or with TPE, by Optuna."""
