"""Cameras: sources of frames, capture of the newest frame, checks of a camera's health, and synthetic scenes.

``sources`` opens cameras and recordings, ``capture`` runs a source in a thread, ``health`` detects that a camera is
offline, frozen, covered or moved, and ``synthetic`` draws people at a door for demos, drills and benchmarks. This
package re-exports nothing.
"""
