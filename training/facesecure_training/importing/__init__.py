"""Imports published weights: MTCNN and MobileFaceNet, rebuilt in Keras and written as the daemon's models."""
