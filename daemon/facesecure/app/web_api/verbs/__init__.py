"""What the page may ask of the daemon: a module for each screen, with the verbs that it lists in ``VERBS``."""
