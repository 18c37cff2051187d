"""What another process changes while a page waits."""

import threading
import time

import pytest

from facesecure.app.changes import ChangeFeed, Topic
from facesecure.app.web_api.outside_changes import OutsideChanges, outside_changes
from facesecure.domain.accounts import Role
from facesecure.domain.errors import BusyError
from facesecure.services import accounts
from facesecure.storage.store import Store
from support.store import enrolled_face


@pytest.fixture
def feed():
    return ChangeFeed(first=1)


def changed(feed):
    return [topic for topic, number in feed.numbers().items() if number != 1]


def test_another_process_that_enrols_or_invites_is_noticed(tmp_path, feed):
    with Store.open(tmp_path) as here, Store.open(tmp_path) as there:
        outside = outside_changes(here, feed)
        outside._every = 0
        outside.look()
        outside.look()
        assert changed(feed) == []
        there.add_person("Anna", [enrolled_face()])
        outside.look()
        assert changed(feed) == ["visits", "visitors", "people"]
        accounts.change_role(there, _account(there), Role.MEMBER)
        outside.look()
        assert "accounts" in changed(feed)


def _account(store):
    from facesecure.services.sign_in import Browser, SignIn

    for name in ("Anna", "Ben"):
        SignIn(store, 30).accept(accounts.invite(store, name, Role.OWNER).code, "four words of mine", Browser())
    return "Ben"


def test_it_looks_seldom_however_many_wait(feed):
    looks = []
    outside = OutsideChanges({(Topic.PEOPLE,): lambda: looks.append(1)}, feed, every=10)
    for _ in range(100):
        outside.look()
    assert len(looks) == 1


def test_who_comes_while_another_looks_does_not_wait(feed):
    looking, done = threading.Event(), threading.Event()

    def revision():
        looking.set()
        done.wait(60)

    outside = OutsideChanges({(Topic.PEOPLE,): revision}, feed)
    thread = threading.Thread(target=outside.look)
    thread.start()
    assert looking.wait(30)
    began = time.monotonic()
    outside.look()
    assert time.monotonic() - began < 30
    done.set()
    thread.join(30)


def test_a_locked_database_is_looked_at_again_later(feed):
    answers = iter([1, BusyError("locked"), 2])

    def revision():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    outside = OutsideChanges({(Topic.PEOPLE,): revision}, feed, every=0)
    outside.look()
    outside.look()
    assert changed(feed) == []
    outside.look()
    assert changed(feed) == ["people"]
