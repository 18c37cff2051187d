"""The life of the service, from the first signal to the last: what it takes to run for years with nobody near.

``life`` is the whole of it: one daemon after another, until SIGTERM. ``signals`` and ``watchdog`` hear and speak while
it lasts, ``resources`` and ``memory`` look after the process, ``alone`` and ``refuge`` after the state directory, and
``housekeeping``, as far as ``calendar_trust`` lets it, after what is kept there.
"""
