"""Decide whose a face is: from the embedding to a verdict at the error rates that were asked for.

``embedder`` maps an aligned face to an embedding, ``gallery`` compares it with the ``templates`` of the people
enrolled, ``evidence`` adds up the scores of a track, and ``decision`` turns them into a verdict by the rules of
``thresholds``, which follow the household's ``calibration`` (made by ``calibrator``). ``score_model`` and
``impostor_model`` describe the distributions of scores. ``classifier`` is the alternative to embeddings,
``human_filter`` rejects animals, ``visitor_matching`` recognises strangers, and ``enrolment`` judges new photos.
"""
