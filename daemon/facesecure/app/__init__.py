"""The daemon as a process: assembly, lifecycle, and what keeps it running unattended for years.

``assembly`` builds a daemon, ``context`` opens what its parts share, and ``lifecycle`` runs one after another until
SIGTERM. ``signals``, ``systemd`` and ``watchdog`` connect it with the service manager, ``process_memory`` keeps it
small. ``instance_lock`` and ``ram_fallback`` guard the state directory, ``housekeeping`` prunes it. ``control`` answers
other commands, ``demo`` is ``facesecure demo``.
"""
