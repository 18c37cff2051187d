"""The one place with SQL about the hub: sealed rows go in and come out, and nothing here can open them."""

from facesecure.hub.store.hub_store import HubStore

__all__ = ["HubStore"]
