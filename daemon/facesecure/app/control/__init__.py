"""How commands talk to the running daemon: a Unix socket, one JSON object a line each way, for root and one group.

``server`` answers, ``client`` asks, ``protocol`` is what goes over the wire, ``peers`` says who may, ``places`` where
the socket lies, ``commands`` what there is to ask.
"""
