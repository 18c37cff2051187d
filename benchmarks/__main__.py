"""Run the door benchmark: ``python -m benchmarks``."""

from benchmarks.door import main

main()
