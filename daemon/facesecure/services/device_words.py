"""Say in words what a browser calls itself: "Chrome on Android". Only for people to read: it may say anything."""

from __future__ import annotations

_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("FxiOS", "Firefox"),
    ("Firefox", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("curl", "curl"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)
"""What stands in a User-Agent, and what people call it; more special ones first."""


def device_words(agent: str) -> str:
    """Return a browser and its system in words, of its User-Agent; "" if nothing is known.

    Example::

        device_words("Mozilla/5.0 (Linux; Android 14) ... Chrome/130.0 Mobile Safari/537.36")  # "Chrome on Android"
    """
    browser = next((words for sign, words in _BROWSERS if sign in agent), "")
    system = next((words for sign, words in _SYSTEMS if sign in agent), "")
    return f"{browser} on {system}" if browser and system else browser or system
