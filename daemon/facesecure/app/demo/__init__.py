"""What `facesecure demo` shows: two public-domain portraits, a clip made of them, and ways to draw the result."""
