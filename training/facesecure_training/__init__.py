"""Rebuilds, trains, measures and exports the models the daemon runs. Needs the ``[training]`` extra."""
