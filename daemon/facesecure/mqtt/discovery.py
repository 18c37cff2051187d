"""What Home Assistant is told of the house and of each camera: one retained message for each device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from facesecure import __version__
from facesecure.config.mqtt import MqttConfig
from facesecure.mqtt import topics as t
from facesecure.mqtt.topics import Topics

EVENT_TYPES = ("known", "stranger", "unidentified", "corrected", "drill")
_COMMAND = '{"action": "{{ action }}", "code": "{{ code }}"}'
_UPDATE = (
    "{{ {'installed_version': value_json.version, 'latest_version': value_json.latest, "
    "'title': 'facesecure'} | tojson }}"
)


class Discovery:
    """The documents for the house and its cameras.

    Example::

        Discovery(config.mqtt, Topics(config.mqtt), "https://pi1.local:8443/").house()
    """

    def __init__(self, config: MqttConfig, topics: Topics, page: str) -> None:
        """``page``: the address of the page."""
        self._config, self._topics, self._page = config, topics, page

    def house(self, doors: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return the document of the house. ``doors`` are the names of its other doors, by identifier."""
        topic, node = self._topics.of, self._topics.node
        return {
            "device": {
                "identifiers": [node],
                "name": "facesecure",
                "manufacturer": "facesecure",
                "sw_version": __version__,
                "configuration_url": self._page,
            },
            "origin": _origin(),
            "availability": [{"topic": topic(t.AVAILABILITY)}],
            "qos": 1,
            "components": {
                "watch": self._panel(),
                "drill": {
                    "platform": "button",
                    "unique_id": f"{node}_drill",
                    "name": "Alarm drill",
                    "command_topic": topic(t.DRILL_SET),
                    "payload_press": "DRILL",
                    "entity_category": "diagnostic",
                },
                "heard": {
                    "platform": "binary_sensor",
                    "unique_id": f"{node}_unheard",
                    "name": "Alarm not heard",
                    "device_class": "problem",
                    "state_topic": topic(t.STATE),
                    "value_template": "{{ value_json.unheard }}",
                },
                "update": {
                    "platform": "update",
                    "unique_id": f"{node}_update",
                    "name": "Update",
                    "entity_category": "config",
                    "state_topic": topic(t.STATE),
                    "value_template": _UPDATE,
                },
                **self._doors(doors or {}),
            },
        }

    def _doors(self, doors: Mapping[str, str]) -> dict[str, Any]:
        state, node = self._topics.of(t.DOORS), self._topics.node
        components: dict[str, Any] = {}
        for identifier, name in doors.items():
            of_door = f"value_json['{identifier}']"
            components[f"door_{identifier}"] = {
                "platform": "binary_sensor",
                "unique_id": f"{node}_door_{identifier}",
                "name": f"Trouble at the door {name}",
                "device_class": "problem",
                "entity_category": "diagnostic",
                "state_topic": state,
                "value_template": f"{{{{ {of_door}.trouble }}}}",
            }
            components[f"last_{identifier}"] = {
                "platform": "sensor",
                "unique_id": f"{node}_last_{identifier}",
                "name": f"Last seen at the door {name}",
                "state_topic": state,
                "value_template": f"{{{{ {of_door}.last.who }}}}",
                "json_attributes_topic": state,
                "json_attributes_template": f"{{{{ {of_door}.last | tojson }}}}",
            }
        return components

    def _panel(self) -> dict[str, Any]:
        topic, node = self._topics.of, self._topics.node
        return {
            "platform": "alarm_control_panel",
            "unique_id": f"{node}_watch",
            "name": "Watch",
            "default_entity_id": "alarm_control_panel.facesecure",
            "state_topic": topic(t.ARM_STATE),
            "command_topic": topic(t.ARM_SET),
            "supported_features": ["arm_home", "arm_away"],
            "code": "REMOTE_CODE",  # we look at the code, Home Assistant does not have it
            "code_arm_required": False,
            "code_disarm_required": True,
            "command_template": _COMMAND,
        }

    def camera(self, word: str, name: str, model: str) -> dict[str, Any]:
        """Return the document of the camera called ``name``, whose topics have ``word``."""
        topic, node = self._topics.of, f"{self._topics.node}_{word}"
        house, here = topic(t.AVAILABILITY), topic(t.CAMERA_AVAILABILITY, word)
        return {
            "device": {
                "identifiers": [node],
                "name": name[:1].upper() + name[1:],
                "manufacturer": "facesecure",
                "model": model,
                "sw_version": __version__,
                "via_device": self._topics.node,
                "configuration_url": self._page,
            },
            "origin": _origin(),
            "availability": [{"topic": house}, {"topic": here}],
            "availability_mode": "all",
            "qos": 1,
            "components": {
                **self._visits(word, node),
                **(self._pictures(word, node) if self._config.pictures else {}),
                **self._states(word, node),
            },
        }

    def _visits(self, word: str, node: str) -> dict[str, Any]:
        event = self._topics.of(t.EVENT, word)
        trigger = {
            "platform": "device_automation",
            "automation_type": "trigger",
            "subtype": "visit",
            "topic": event,
            "value_template": "{{ value_json.event_type }}",
        }
        return {
            "visit": {
                "platform": "event",
                "unique_id": f"{node}_visit",
                "name": "Visit",
                "default_entity_id": f"event.{word.replace('-', '_')}_visit",
                "icon": "mdi:account-question",
                "event_types": list(EVENT_TYPES),
                "state_topic": event,
            },
            **{f"t_{kind}": {**trigger, "type": kind, "payload": kind} for kind in EVENT_TYPES},
        }

    def _pictures(self, word: str, node: str) -> dict[str, Any]:
        return {
            "face": {
                "platform": "image",
                "unique_id": f"{node}_face",
                "name": "Last visitor",
                "image_topic": self._topics.of(t.FACE, word),
                "content_type": "image/jpeg",
            },
            "camera": {
                "platform": "camera",
                "unique_id": f"{node}_camera",
                "name": "Picture",
                "topic": self._topics.of(t.PICTURE, word),
            },
        }

    def _states(self, word: str, node: str) -> dict[str, Any]:
        state = self._topics.of(t.CAMERA_STATE, word)
        return {
            "somebody": {
                "platform": "binary_sensor",
                "unique_id": f"{node}_somebody",
                "name": "Somebody there",
                "device_class": "occupancy",
                "state_topic": state,
                "value_template": "{{ value_json.somebody }}",
            },
            "last": {
                "platform": "sensor",
                "unique_id": f"{node}_last",
                "name": "Last seen",
                "state_topic": state,
                "value_template": "{{ value_json.last.who }}",
                "json_attributes_topic": state,
                "json_attributes_template": "{{ value_json.last | tojson }}",
            },
            "when": {
                "platform": "sensor",
                "unique_id": f"{node}_when",
                "name": "Last visit",
                "device_class": "timestamp",
                "state_topic": state,
                "value_template": "{{ value_json.last.at }}",
            },
            "trouble": {
                "platform": "binary_sensor",
                "unique_id": f"{node}_trouble",
                "name": "Camera trouble",
                "device_class": "problem",
                "entity_category": "diagnostic",
                "state_topic": state,
                "value_template": "{{ value_json.trouble }}",
            },
        }


def _origin() -> dict[str, str]:
    return {"name": "facesecure", "sw_version": __version__}
