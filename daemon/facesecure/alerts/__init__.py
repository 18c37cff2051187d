"""Alerts: ``policy`` decides on them, ``delivery`` sends them, ``plugins`` finds the channels, ``speech`` records them.

Authors of plugins need ``facesecure.alerts.plugins.api`` alone.
"""
