"""Films of visits: the camera's own packets, kept in memory for some seconds, and written while somebody is there.

``packet_ring`` keeps the latest packets, ``muxer`` makes MP4 of them, ``recorder`` writes a film of each visit, and
``playable`` turns a film into a file that every player opens.
"""
