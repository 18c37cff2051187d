"""What a door shares with the others while its connection to the hub holds; each module has one subject."""
