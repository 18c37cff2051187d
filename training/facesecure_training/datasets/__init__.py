"""Data sets of faces: made from videos and photos, looked at, paired, copied elsewhere, and read for training."""
