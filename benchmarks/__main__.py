"""``python -m bench``: the door bench."""

from benchmarks.door import main

main()
