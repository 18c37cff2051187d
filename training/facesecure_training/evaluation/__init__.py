"""Measures models: verification, open-set identification, whole visits, classifiers, score and impostor models."""
