"""``python -m bench``: the door bench."""

from bench.door import main

main()
