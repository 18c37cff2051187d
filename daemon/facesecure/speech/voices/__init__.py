"""Voices: each turns a sentence into sound. They are tried in the order of [speech] voices."""

from facesecure.speech.voices.building import build_voices
from facesecure.speech.voices.voice import Voice

__all__ = ["Voice", "build_voices"]
