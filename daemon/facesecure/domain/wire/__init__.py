"""The JSON documents of the daemon: one schema for ``--json``, webhooks, the log file and the outbox.

``sightings`` holds the documents of sightings, people and visitors, ``alerts`` those of alerts. Each is built from a
domain value with ``of`` and turned into JSON's own types with ``as_json``. Keys and their order are a contract.

Example::

    SightingDocument.of(store.sighting("91a34a4a")).as_json()["verdict"]  # "stranger"
"""
