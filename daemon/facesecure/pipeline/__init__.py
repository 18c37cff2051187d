"""The processing of frames: sample, detect, track, identify, record, decide and publish.

``pipeline.Pipeline`` holds the stages and their order; each stage has a module of its own. Import from the modules:
this package re-exports nothing.
"""
