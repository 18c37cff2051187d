"""What the database holds for the page: accounts, sessions, one-time links, failed tries, passkeys and tokens."""

from __future__ import annotations

from datetime import datetime, timedelta

from facesecure.storage.account_sessions import AccountSessions
from facesecure.storage.accounts import Accounts
from facesecure.storage.database import Database
from facesecure.storage.invitations import Invitations
from facesecure.storage.live_tokens import LiveTokens
from facesecure.storage.passkeys import Passkeys
from facesecure.storage.push_subscriptions import PushSubscriptions
from facesecure.storage.sign_in_attempts import SignInAttempts

_FORGOTTEN = timedelta(days=7)
_LONGEST_SESSION = timedelta(days=366)


class PageRecords:
    """Everything that decides who may do what on the page.

    Example::

        store.page.accounts.all()
    """

    def __init__(self, database: Database) -> None:
        self.accounts = Accounts(database)
        self.sessions = AccountSessions(database)
        self.invitations = Invitations(database)
        self.attempts = SignInAttempts(database)
        self.live_tokens = LiveTokens(database)
        self.push = PushSubscriptions(database)
        self.passkeys = Passkeys(database)

    def prune(self, now: datetime) -> None:
        """Remove old links, failed tries that count no more, and sessions that nobody used for a year."""
        self.invitations.prune(now)
        self.attempts.prune(now - _FORGOTTEN)
        self.sessions.end_before(now - _LONGEST_SESSION)
