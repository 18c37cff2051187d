"""What every other room uses: embeddings of photos, crops, corruptions, model files, progress and optional imports."""
