"""Google's voice, by gTTS: the best there is for nothing, in some seventy languages; needs the network.

gTTS knows how to ask and in which languages; the asking is ours, because gTTS's own does not check whom it speaks to.
A recording is kept for good: whoever stood between could have us say "Anna is at the front door" of every stranger.
"""

from __future__ import annotations

import base64
import re
import urllib.error
import urllib.request
from http.client import HTTPException
from importlib.util import find_spec
from ssl import SSLContext, create_default_context

from facesecure.alerts.speech.audio import Sound, decode
from facesecure.domain.errors import PluginError
from facesecure.domain.languages import base

_URL = "https://translate.google.{accent}/_/TranslateWebserverUi/data/batchexecute"
_ANSWER = re.compile(rb'"jQ1olc","\[\\"([A-Za-z0-9+/=]+)\\"')
"""Where the MP3 stands in the answer, in base64; the name is that of the remote call that gTTS makes."""
_LONGEST = 5_000_000
_OFFLINE = "sentences recorded before are still said; without a network install espeak-ng or facesecure[offline-voice]"


class GoogleVoice:
    """Speaks through Google Translate."""

    name = "gtts"

    def __init__(
        self, accent: str = "com", *, slow: bool = False, seconds: float = 5.0, url: str = "", trust: str | None = None
    ) -> None:
        """``accent``: Google's domain. ``seconds``: longest silence of the network. ``url`` and ``trust`` (a file of
        certificates) stand for Google's own in tests."""
        self.settings = f"{accent}{' slow' if slow else ''}"
        self._accent, self._slow, self._seconds = accent, slow, seconds
        self._url = url or _URL.format(accent=accent)
        self._trust = trust

    def obstacle(self, language: str) -> PluginError | None:
        if find_spec("gtts") is None:
            return PluginError("gTTS is not installed", "install it: pip install gTTS")
        if _code(language) is None:
            return PluginError(f"gTTS does not speak {language!r}", "gtts-cli --all lists what it speaks")
        return None

    def say(self, text: str, language: str) -> Sound:
        """Raises PluginError where Google cannot be asked, does not speak ``language``, or answers no sound."""
        if obstacle := self.obstacle(language):
            raise obstacle
        context = create_default_context(cafile=self._trust)
        mp3 = b"".join(self._ask(body, context) for body in self._questions(text, language))
        try:
            return decode(mp3)
        except ValueError as error:
            raise PluginError(f"Google's answer is no sound: {error}", _OFFLINE) from error

    def close(self) -> None:
        """Each sentence is a connection of its own: nothing is held."""

    def _questions(self, text: str, language: str) -> list[bytes]:
        """What gTTS would send: a body for each hundred characters."""
        from gtts import gTTS

        try:
            tts = gTTS(text, tld=self._accent, lang=_code(language), slow=self._slow, lang_check=False)
            return [body.encode() for body in tts.get_bodies()]
        except AssertionError as error:
            raise PluginError(f"there is nothing to say in {text!r}") from error

    def _ask(self, body: bytes, context: SSLContext) -> bytes:
        from gtts import gTTS

        request = urllib.request.Request(self._url, body, gTTS.GOOGLE_TTS_HEADERS)
        try:
            with urllib.request.urlopen(request, timeout=self._seconds, context=context) as answer:
                found = _ANSWER.search(answer.read(_LONGEST))
        except urllib.error.HTTPError as error:
            error.close()
            raise PluginError(f"Google does not speak: it answers {error.code} {error.reason}", _OFFLINE) from error
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise PluginError(f"Google cannot be reached: {reason}", _OFFLINE) from error
        if found is None:
            raise PluginError("Google answers, but with no sound", _OFFLINE)
        return base64.b64decode(found[1])


def _code(language: str) -> str | None:
    """gTTS's own name for ``language`` ("en" for "en-GB", "fr-CA" for "fr_ca"); None where it does not speak it."""
    from gtts.lang import tts_langs

    spoken = {name.lower(): name for name in tts_langs()}
    return spoken.get(language.replace("_", "-").lower()) or spoken.get(base(language))
