"""The command line. ``main.main`` is the entry point; each module here is one command or group of commands.

Modules import what they need inside the commands: ``facesecure --help`` must not wait for SQLAlchemy or OpenCV.
"""
