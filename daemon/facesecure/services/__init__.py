"""The use cases, each once: the command line, a web page and MQTT call the same functions.

A service takes the configuration, the state directory, an open store or the models, does one thing, and returns plain
frozen values or raises a ``FacesecureError``. It never prints and never asks: the front ends do.
"""
