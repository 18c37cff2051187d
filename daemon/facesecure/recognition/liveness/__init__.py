"""Doubt whether a known face is a person or a picture held up to the camera: on a phone, a tablet or paper.

- ``surroundings``: whether the surroundings move rigidly with the face; needs no model
- ``antispoof``: the two pulled networks
- ``visit``: both cues joined over a visit
- ``doorstep``: thresholds raised to what this door's known visits look like
"""
