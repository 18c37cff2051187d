"""What a network is taught to make small."""
