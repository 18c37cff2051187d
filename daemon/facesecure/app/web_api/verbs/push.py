"""Notifications: which browsers are notified by Web Push, and subscribing this one."""

from __future__ import annotations

from pydantic import Field

from facesecure.app.changes import Topic
from facesecure.app.web_api.protocol import Refusal
from facesecure.app.web_api.verb import Answer, Arguments, Call, Nothing, Refused, Verb
from facesecure.domain.accounts import Role
from facesecure.domain.errors import UsageError
from facesecure.services import push


class Browser(Arguments):
    """What a browser says of itself (Push API, PushSubscription): the push service's address and its two keys."""

    endpoint: str = Field(min_length=12, max_length=1000, pattern=r"^https://[!-~]+$", repr=False)
    p256dh: str = Field(pattern=r"^[A-Za-z0-9_-]{87}={0,1}$", repr=False)
    auth: str = Field(pattern=r"^[A-Za-z0-9_-]{22}={0,2}$", repr=False)


class WhichSubscription(Arguments):
    """A subscription by its identifier."""

    identifier: str = Field(pattern=r"^[0-9a-f]{32}$")


def show(call: Call[Nothing]) -> Answer:
    """Answer the key that browsers bind to, and the browsers that are notified: one's own, to owners everybody's."""
    if not call.parts.config.web.push:
        return Answer({"enabled": False, "key": None, "browsers": []})
    browsers = [
        {
            "identifier": one.identifier,
            "account": one.account,
            "device": one.device,
            "created_at": one.created_at.isoformat(),
            "this": one.session == call.session.identifier,
        }
        for one in call.parts.store.page.push.all()
        if push.may_remove(call.session, one)
    ]
    return Answer({"enabled": True, "key": push.household_key(call.parts.store), "browsers": browsers})


def subscribe(call: Call[Browser]) -> Answer:
    """Notify this browser from now on."""
    asked, web = call.arguments, call.parts.config.web
    if not web.push:
        raise Refused(Refusal.FAILED, "notifications are off", "set [web] push = true")
    try:
        push.subscribe(
            call.parts.store, call.session, asked.endpoint, asked.p256dh, asked.auth, private=web.push_private
        )
    except UsageError as error:
        raise Refused(Refusal.INVALID, error.message, error.hint, argument="endpoint") from error
    return Answer()


def unsubscribe(call: Call[WhichSubscription]) -> Answer:
    """Notify a browser no longer."""
    if not push.unsubscribe(call.parts.store, call.session, call.arguments.identifier):
        raise Refused(Refusal.MISSING, "that browser is not notified", "it may have ended that", argument="identifier")
    return Answer()


VERBS = (
    Verb("push", Role.VIEWER, Nothing, show),
    Verb("push-subscribe", Role.VIEWER, Browser, subscribe, changes=(Topic.ACCOUNTS,)),
    Verb("push-unsubscribe", Role.VIEWER, WhichSubscription, unsubscribe, changes=(Topic.ACCOUNTS,)),
)
