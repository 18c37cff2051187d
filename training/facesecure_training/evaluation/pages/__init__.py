"""What a model is worth, in figures, curves and a page with pictures."""
