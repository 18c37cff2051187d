"""facesecure: a home-security daemon that knows the family at the door."""

__version__: str


def __getattr__(name: str) -> str:
    """``__version__``, read when somebody asks: what reads it is slower to import than the rest of the start."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("facesecure")
    except PackageNotFoundError:  # run from a tree that was never installed
        return "0+unknown"
