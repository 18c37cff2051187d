"""The images of a run, as config.json records them, and whether they are still the same when it is resumed.

A network with two outputs does not know whose they are: config.json names them. If a folder was renamed meanwhile, or
another took its place in the order, the network would go on to learn other people under the old names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from facesecure.domain.errors import UsageError
from facesecure_training.recipes.recipe import Recipe

_COMPARED = ("classes", "people", "pictures", "files")


def described(recipe: Recipe) -> dict[str, Any]:
    """Return what config.json records about the data: the recipe's facts, and a digest of the names in each part."""
    parts = {"train": recipe.training_data, "validation": recipe.validation_data}
    return {**recipe.facts, "files": {part: folder.digest() for part, folder in parts.items()}}


def refuse_changed(document: Mapping[str, Any], recipe: Recipe) -> None:
    """Raise UsageError if the images of ``recipe`` are not those that ``document``, a run's config.json, describes.

    What an older version did not record is not compared.
    """
    now = described(recipe)
    if any(name in document and document[name] != now.get(name) for name in _COMPARED):
        roots = dict.fromkeys(str(folder.root) for folder in (recipe.training_data, recipe.validation_data))
        raise UsageError(
            f"the images in {' or '.join(roots)} changed since the run began",
            "put back what was renamed, added or removed, or begin another run in another --out",
        )
