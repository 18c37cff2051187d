"""What the daemon remembers. ``from facesecure.storage.store import Store`` (it loads SQLAlchemy: where it is used)."""
