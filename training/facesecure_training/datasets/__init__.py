"""Data sets of faces: extracted from videos and photos, described, paired, copied, and loaded for training."""
