from facesecure.alerts.steps import Steps
from facesecure.domain import Alert, AlertKind


def test_every_step_reaches_everybody_who_follows_in_the_order_they_came():
    heard: list[tuple[str, str, str]] = []
    steps = Steps()
    for who in ("drill", "unspoken"):
        steps.follow(lambda alert, channel, what, who=who: heard.append((who, channel, what)))
    steps(Alert(AlertKind.TEST, "a test"), "speaker", "delivered")
    assert heard == [("drill", "speaker", "delivered"), ("unspoken", "speaker", "delivered")]


def test_without_anybody_who_follows_nothing_happens():
    Steps()(Alert(AlertKind.TEST, "a test"), "speaker", "delivered")
