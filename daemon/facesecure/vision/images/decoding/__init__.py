"""Decode pictures that anybody may have made, in a process of its own: a bomb or a crash costs one picture.

``process`` starts and asks that process, ``program`` is what runs in it, ``sandbox`` what it may not do, ``pixels``
how it decodes, and ``messages`` what the two say to each other. Import from the modules: this package re-exports
nothing, and ``program``'s imports are few, because each start of the process pays for them.
"""
