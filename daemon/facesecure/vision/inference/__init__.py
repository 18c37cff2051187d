"""Models: their files and cards, the TFLite interpreter, and the download of models that are not bundled.

``model_card.load_model`` loads a checked model, ``model_registry`` lists, verifies and pulls them. The bundled ones lie
in ``models``. This package re-exports nothing.
"""
