from facesecure.alerts.delivery.dispatcher import ProgressFanOut
from facesecure.domain import Alert, AlertKind


def test_every_step_reaches_everybody_who_follows_in_the_order_they_came():
    heard: list[tuple[str, str, str]] = []
    steps = ProgressFanOut()
    for who in ("drill", "unspoken"):
        steps.follow(lambda alert, channel, what, who=who: heard.append((who, channel, what)))
    steps(Alert(AlertKind.TEST, "a test"), "speaker", "delivered")
    assert heard == [("drill", "speaker", "delivered"), ("unspoken", "speaker", "delivered")]


def test_what_went_by_before_anybody_followed_is_not_told_afterwards():
    heard: list[str] = []
    steps = ProgressFanOut()
    steps(Alert(AlertKind.TEST, "a test"), "speaker", "playing")
    steps.follow(lambda alert, channel, what: heard.append(what))
    steps(Alert(AlertKind.TEST, "a test"), "speaker", "delivered")
    assert heard == ["delivered"]
