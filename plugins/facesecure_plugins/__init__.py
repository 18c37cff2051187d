"""The alert plugins that ship with facesecure. They are found by the same entry points as third-party plugins."""
