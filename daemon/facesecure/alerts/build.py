"""Build everything between a sighting and the people it is announced to: policy, plugins, speech and delivery."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from facesecure.alerts.delivery.dispatcher import Dispatcher, ProgressFanOut
from facesecure.alerts.delivery.held_alerts import HeldAlerts
from facesecure.alerts.delivery.notify_once import NotifyOnce
from facesecure.alerts.delivery.scheduler import OnStep
from facesecure.alerts.delivery.speech_deadline import MissedAnnouncementAlert
from facesecure.alerts.plugins.api import PluginContext, Speech
from facesecure.alerts.plugins.clips import AlertClips
from facesecure.alerts.plugins.registry import Registry
from facesecure.alerts.policy.arming import Arming
from facesecure.alerts.policy.entry_delay import EntryDelay
from facesecure.alerts.policy.policy import Policy
from facesecure.alerts.policy.rules import RuleSet, warn_of_unknown
from facesecure.alerts.policy.state_file import PolicyStateFile
from facesecure.alerts.policy.timer import PolicyTimer, SystemAlerts
from facesecure.alerts.speech.announcements import phrase_book_of
from facesecure.alerts.speech.prerender import SpeechPrerenderer
from facesecure.alerts.speech.synthesizer import SpeechService
from facesecure.config import FacesecureConfig
from facesecure.domain.deliveries import HOUSEHOLD
from facesecure.domain.interfaces import AlertPlugin
from facesecure.recognition.visitor_matching import MatchVisitor
from facesecure.storage.store import Store


class AlertContext(Protocol):
    """What alerts need to know of the household (``app.context.DaemonContext`` provides it)."""

    @property
    def config(self) -> FacesecureConfig:
        """The configuration in use."""

    @property
    def state_dir(self) -> Path:
        """The state directory."""

    @property
    def store(self) -> Store:
        """The open store; its outbox keeps alerts until they are delivered."""

    @property
    def arming(self) -> Arming:
        """The mode that the household has chosen."""

    @property
    def match_visitor(self) -> MatchVisitor:
        """The function that recognises a stranger who was here before."""

    def names(self) -> list[str]:
        """Return the names of all people who can be recognised."""

    def startup_events(self) -> Iterable[tuple[str, str]]:
        """Yield (event of the service, reason) to report at start-up."""


@dataclass(frozen=True, slots=True)
class AlertStack:
    """The running alerts: ``policy`` decides on them, ``dispatcher`` delivers them, ``system`` reports faults.

    Alerts about visitors go to ``visitors``, where they may have to wait while armed away, and from there to ``once``,
    where the household's other doors may have notified already.

    Example::

        with ExitStack() as stack:
            alerts = build_alerts(context, stack, live=True)
            for alert in alerts.policy.decide(sighting):
                alerts.visitors.send(alert)
    """

    policy: Policy
    dispatcher: Dispatcher
    system: SystemAlerts
    visitors: EntryDelay
    once: NotifyOnce


def build_alerts(
    context: AlertContext,
    stack: ExitStack,
    *,
    live: bool,
    on_step: Iterable[OnStep] = (),
    extra_plugins: Mapping[str, AlertPlugin] | None = None,
    on_entry: Callable[[], object] = lambda: None,
) -> AlertStack:
    """Build and start the alerts, report the start-up events, and have ``stack`` stop everything again.

    ``live``: whether the source is a camera; cool-downs of a recording's visitors are not remembered. ``on_step``
    functions receive each step of every delivery. ``extra_plugins`` get every alert beside the configured plugins.
    ``on_entry`` is called when an entry or exit delay begins or ends.
    """
    config, steps = context.config, ProgressFanOut()
    speech = stack.enter_context(SpeechService(config.speech, context.state_dir))
    dispatcher = Dispatcher(outbox=context.store.outbox, fallback=config.alerts.fallback, on_step=steps)
    plugins = {**_plugins(context, speech, dispatcher), **(extra_plugins or {})}
    policy = _policy(context, plugins, live=live)
    others = HeldAlerts(context.store.outbox, dispatcher, HOUSEHOLD)
    once = NotifyOnce(others, dispatcher, in_use=config.hub.enabled)
    held = HeldAlerts(context.store.outbox, once)
    visitors = EntryDelay(config.policy, lambda: policy.mode, context.arming, held, once, on_change=on_entry)
    alerts = AlertStack(policy, dispatcher, SystemAlerts(policy, dispatcher), visitors, once)
    for follower in (*on_step, _missed_announcements(config, alerts.system), once.step):
        steps.follow(follower)
    dispatcher.attach(plugins)
    stack.enter_context(dispatcher)
    stack.enter_context(PolicyTimer(policy, dispatcher))
    stack.enter_context(once)
    stack.enter_context(visitors)
    for event, why in context.startup_events():
        alerts.system.of_service(event, why)
    if not plugins.keys().isdisjoint(config.policy.aloud):  # otherwise no name is sent to a speech service
        stack.enter_context(_prerenderer(context, speech, policy))
    return alerts


def _plugins(context: AlertContext, speech: Speech, dispatcher: Dispatcher) -> Mapping[str, AlertPlugin]:
    """Return the plugins that the configuration enables, by name."""
    config = context.config
    places = tuple(each.camera.name for each in config.each_camera())
    provided = PluginContext(
        context.state_dir,
        places[0],
        config.speech.language,
        speech,
        dispatcher.progress,
        places=places,
        clips=AlertClips(context.store.clips),
    )
    return Registry.load(config.plugins, context=provided).enabled()


def _policy(context: AlertContext, plugins: Collection[str], *, live: bool) -> Policy:
    config = context.config
    warn_of_unknown(config.policy, context.names())
    return Policy(
        phrase_book_of(config),
        RuleSet(config.policy, plugins, config.alerts.fallback),
        armed=lambda: context.arming.armed,
        match=context.match_visitor,
        state_file=PolicyStateFile(context.state_dir, context.store) if live else None,
    )


def _missed_announcements(config: FacesecureConfig, system: SystemAlerts) -> OnStep:
    return MissedAnnouncementAlert(config.policy.aloud, partial(system.of_service, "undelivered")).step


def _prerenderer(context: AlertContext, speech: SpeechService, policy: Policy) -> SpeechPrerenderer:
    return SpeechPrerenderer(speech, lambda: policy.sentences(context.names()), context.store.people_revision)
