"""Networks written in Keras: those the daemon runs, and those that ``facesecure-train`` trains.

Every builder returns a ``keras.Model`` that takes uint8 RGB images and scales them itself, so that training and serving
cannot scale them differently. TensorFlow is loaded when a builder is called, not when its module is imported.
"""

from __future__ import annotations
