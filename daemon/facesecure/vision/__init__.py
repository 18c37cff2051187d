"""Computer vision: images and their quality, detection of motion and faces, inference with TFLite models.

This package re-exports nothing.
"""
