"""Write the reference pages from the code, so that they cannot go stale.

    .venv/bin/python docs/generate.py            # write the pages
    .venv/bin/python docs/generate.py --check    # exit with 1 if a page is not current

- ``configuration.md``: every setting, from the configuration schema and the ``Config`` classes of the bundled plugins
- ``commands.md``: every command and option of ``facesecure``, the commands of the bundled plugins included
- ``training-commands.md``: the same for ``facesecure-train``; TensorFlow is not loaded
- ``audit.md``: every action that the audit log records
- ``mqtt-topics.md``: every topic of MQTT
- ``model-cards.md``: the cards of all models, with what is known by group of people
- ``third-party.md``: every package that is installed, by the lock files, and what is inside it, with licences

Each page has a line that marks where the generated part begins; the introduction above it is written by hand.
"""

from __future__ import annotations

import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent))  # for this folder and supply_chain, which are not installed

MARK = "<!-- Written by docs/generate.py from here on: change the code that it reads, then run it again. -->\n"


def pages() -> dict[str, str]:
    """Return the text of every page by its file name: the introduction as it is, the rest new."""
    from docs.command_reference import commands
    from docs.markdown_text import table
    from docs.model_cards import cards
    from docs.settings_reference import settings
    from facesecure.cli.app import app
    from facesecure.mqtt import topics as mqtt_topics
    from facesecure.services.audit import ACTIONS
    from facesecure_training.cli.main import app as training_app
    from supply_chain.third_party import tables

    generated = {
        "configuration.md": settings(),
        "commands.md": commands("facesecure", app),
        "training-commands.md": commands("facesecure-train", training_app),
        "audit.md": table(("action", "meaning"), [(f"`{action}`", meaning) for action, meaning in ACTIONS.items()]),
        "mqtt-topics.md": table(("topic", "direction", "retained", "payload"), mqtt_topics.table()),
        "third-party.md": tables(),
        "model-cards.md": cards(),
    }
    return {name: f"{_introduction(DOCS / name)}{MARK}\n{text}" for name, text in generated.items()}


def _introduction(page: Path) -> str:
    """Return what stands above the mark. Raises ValueError if ``page`` has none."""
    introduction, mark, _ = page.read_text(encoding="utf-8").partition(MARK)
    if not mark:
        raise ValueError(f"{page} has no line {MARK}")
    return introduction


def stale() -> list[str]:
    """Return the names of the pages in ``docs/`` that are not as the code has it."""
    return [name for name, text in pages().items() if (DOCS / name).read_text(encoding="utf-8") != text]


def main() -> int:
    """Write the pages, or with ``--check`` compare them. Return the exit code."""
    if "--check" in sys.argv[1:]:
        old = stale()
        sys.stderr.writelines(f"docs/{name} is not current: run .venv/bin/python docs/generate.py\n" for name in old)
        return 1 if old else 0
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
