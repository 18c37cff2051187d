"""Networks written out in Keras: those the daemon runs, and those that ``facesecure-train`` teaches.

Every builder gives a ``keras.Model`` that takes uint8 RGB pictures and scales them itself, so that training and serving
cannot disagree about it. TensorFlow is loaded when a builder is called, not when its module is imported.
"""

from __future__ import annotations
