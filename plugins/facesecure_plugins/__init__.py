"""Alert plugins that ship with facesecure. They come in by the entry point that anybody's plugin uses."""
