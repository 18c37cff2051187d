"""What the daemon remembers. ``from facesecure.store.store import Store`` (it loads SQLAlchemy: where it is used)."""
