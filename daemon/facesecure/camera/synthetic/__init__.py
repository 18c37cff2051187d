"""Synthetic scenes: two public-domain portraits, figures cut out of them, a drawn front door, and a clip of visits.

Used by `facesecure demo`, by drills and by benchmarks. NOTICE names the photographs in ``photos``.
"""
