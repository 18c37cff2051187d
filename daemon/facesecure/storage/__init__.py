"""The database and its files. Import ``facesecure.storage.store.Store`` only where it is used: it loads SQLAlchemy."""
