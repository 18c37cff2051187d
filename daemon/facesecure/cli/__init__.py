"""The command line: parses, calls a service, and prints. Each module is one command or group of commands.

``main.main`` is the entry point. Commands import what they need inside their functions, so that ``facesecure --help``
does not wait for SQLAlchemy or OpenCV.
"""
