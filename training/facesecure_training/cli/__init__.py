"""The command line ``facesecure-train``: parses options, calls the other rooms, prints."""
