"""The control socket, by which other commands talk to the running daemon: one JSON object per line each way.

``server`` answers root and the members of one group (``peer_credentials``), ``client`` sends a command, ``protocol``
defines what is sent and where the socket is, ``commands`` are what the daemon answers.
"""
