"""Detection of motion and of faces: MTCNN, OpenCV's Haar cascade, YuNet, and a scripted fake.

``factory.build_detector`` makes the configured one, behind ``domain.interfaces.Detector``. This package re-exports
nothing, so that only the chosen detector is loaded.
"""
