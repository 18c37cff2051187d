"""Speech: the sentences of alerts synthesised in advance, cached as MP3 files, and provided to plugins.

- ``synthesizer``: SpeechService: a recording of a sentence, from the cache or made now
- ``prerender``: keeps the recordings complete
- ``jobs``: voices at work on threads
- ``cache``: the recordings on the disk
- ``audio``: loudness, silence and MP3
- ``announcements``: the sentences that a household needs
- ``voices``: Google's, piper and espeak-ng
"""
