"""The address under which people of the household reach the page."""

from __future__ import annotations

import socket

from facesecure.config.web import WebConfig

_HTTPS = 443


def page_address(web: WebConfig) -> str:
    """Return the address of the page: by the first of its configured names, else by this machine's, as phones find it.

    Example::

        page_address(WebConfig(port=443))  # "https://raspberrypi.local"
    """
    host = web.hosts[0] if web.hosts else f"{socket.gethostname().lower().partition('.')[0]}.local"
    return f"https://{host}" + ("" if web.port == _HTTPS else f":{web.port}")


def link_address(page: str, code: str) -> str:
    """Return the address that opens a one-time link on the page at ``page``."""
    return f"{page.rstrip('/')}/invitation?code={code}"
