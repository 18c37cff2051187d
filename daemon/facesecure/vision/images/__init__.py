"""Images: pixels of frames, photo files, aligned and loose crops, illumination and quality of a face, codecs.

All images are uint8 RGB (height, width, 3). Import from the modules: this package re-exports nothing.
"""
