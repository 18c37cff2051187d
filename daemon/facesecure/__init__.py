"""facesecure: a home-security daemon that knows the family at the door."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("facesecure")
except PackageNotFoundError:  # run from a tree that was never installed
    __version__ = "0+unknown"
