"""Delivery of alerts to plugins: written to the outbox first, then sent with fallbacks and retries until they expire.

- ``dispatcher``: what the daemon calls; owns the thread that makes the decisions
- ``scheduler``: the order of attempts, fallbacks, retries and expiry
- ``channel``: one plugin with its queue and its thread
- ``delivery``: one alert on its way to one channel
- ``fallback``: which channels an alert goes to
- ``durable_outbox``: the outbox, with failed writes repeated later
- ``speech_deadline``: reports alerts that no plugin has spoken in time
"""
