"""Decides which alerts are sent, and through which channels: rules, cool-downs, arming and the state of the camera."""
