"""What the database holds for the page: accounts, sessions, one-time links, failed tries and tokens."""

from __future__ import annotations

from facesecure.storage.account_sessions import AccountSessions
from facesecure.storage.accounts import Accounts
from facesecure.storage.database import Database


class PageRecords:
    """Everything that decides who may do what on the page.

    Example::

        store.page.accounts.all()
    """

    def __init__(self, database: Database) -> None:
        self.accounts = Accounts(database)
        self.sessions = AccountSessions(database)
