"""The front for MQTT: visits, states and pictures go to a broker, commands come from it.

- ``topics``: every topic, what is on it, and whether it is retained
- ``discovery``: what Home Assistant is told, so that it shows the house and its cameras
- ``connection``: the connection to the broker, on a thread of its own
- ``events``: the plugin that delivers visits, so that the outbox keeps them until the broker has confirmed them
- ``states``: what is so now, published again whenever it changes
- ``commands``: what may be asked of us from there
- ``left_behind``: what lies on the broker, so that it can be removed
- ``front``: all of it together, for the daemon
"""
