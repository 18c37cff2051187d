"""Run ``facesecure demo``: the whole daemon on a clip made of two public-domain portraits, and images of the result."""
