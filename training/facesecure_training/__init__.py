"""Train, measure and export the models that the facesecure daemon runs."""
