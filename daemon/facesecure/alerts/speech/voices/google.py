"""Google's voice, by gTTS: the best free one, in some seventy languages; needs the network.

gTTS provides the requests and the languages. The requests are sent here, since gTTS itself does not check the server's
certificate: recordings are kept, and an attacker on the network could otherwise have every stranger announced as Anna.
"""

from __future__ import annotations

import base64
import re
from http.client import HTTPException
from importlib.util import find_spec
from urllib.error import HTTPError

from facesecure.alerts.speech.audio import Sound, decode
from facesecure.domain.errors import PluginError
from facesecure.domain.languages import base
from facesecure.util.https import Limits, open_https
from facesecure.util.installing import pip_install

_URL = "https://translate.google.{accent}/_/TranslateWebserverUi/data/batchexecute"
_RESPONSE = re.compile(rb'"jQ1olc","\[\\"([A-Za-z0-9+/=]+)\\"')
"""The MP3 in the response, in base64; the name is that of the remote call that gTTS makes."""
_OTHER_CODES = {"he": "iw", "nb": "no", "nn": "no", "fil": "tl", "jv": "jw", "cmn": "zh"}
"""Google's older codes of languages that have another today (ISO 639)."""
_CHINESE = {"hk": "yue", "mo": "yue", "yue": "yue", "hant": "zh-tw", "tw": "zh-tw", "hans": "zh-cn"}
"""Google's codes of Chinese by the region or script that is written, of which the first counts."""
_MAX_RESPONSE = 5_000_000
_OFFLINE = (
    "sentences recorded earlier are still spoken; to speak without a network, install espeak-ng or "
    "facesecure[offline-voice]"
)


class GoogleVoice:
    """Speak through Google Translate.

    Example::

        GoogleVoice("co.uk").say("Anna is at the front door", "en")
    """

    name = "gtts"

    def __init__(
        self, accent: str = "com", *, slow: bool = False, seconds: float = 5.0, url: str = "", trust: str | None = None
    ) -> None:
        """Speak with the accent of Google's domain ``accent``, such as "com", "co.uk" or "com.au".

        ``seconds``: time limit of the network. ``url`` and ``trust`` (a file of certificates) replace Google's own in
        tests.
        """
        self.settings = f"{accent}{' slow' if slow else ''}"
        self._accent, self._slow, self._seconds = accent, slow, seconds
        self._url = url or _URL.format(accent=accent)
        self._trust = trust

    def obstacle(self, language: str) -> PluginError | None:
        """Return why it cannot speak ``language``: gTTS is not installed, or does not know the language."""
        if find_spec("gtts") is None:
            return PluginError("gTTS is not installed", f"install it: {pip_install('gtts')}")
        if _code(language) is None:
            return PluginError(f"gTTS does not speak {language!r}", "gtts-cli --all lists what it speaks")
        return None

    def say(self, text: str, language: str) -> Sound:
        """Return ``text`` spoken. Raises PluginError if Google cannot be reached or does not return a sound."""
        if obstacle := self.obstacle(language):
            raise obstacle
        mp3 = b"".join(self._request(body) for body in self._bodies(text, language))
        try:
            return decode(mp3)
        except ValueError as error:
            raise PluginError(f"Google's response is not a sound: {error}", _OFFLINE) from error

    def close(self) -> None:
        """Do nothing: each sentence has its own connection."""

    def _bodies(self, text: str, language: str) -> list[bytes]:
        """Return the request bodies that gTTS would send, one for each hundred characters."""
        from gtts import gTTS

        try:
            tts = gTTS(text, tld=self._accent, lang=_code(language), slow=self._slow, lang_check=False)
            return [body.encode() for body in tts.get_bodies()]
        except AssertionError as error:
            raise PluginError(f"there is nothing to say in {text!r}") from error

    def _request(self, body: bytes) -> bytes:
        from gtts import gTTS

        limits = Limits(self._seconds, 3 * self._seconds, redirects=0)
        try:
            with open_https(self._url, limits, gTTS.GOOGLE_TTS_HEADERS, body=body, trust=self._trust) as response:
                found = _RESPONSE.search(response.read(_MAX_RESPONSE))
        except HTTPError as error:
            error.close()
            raise PluginError(f"Google refuses to speak: {error.code} {error.reason}", _OFFLINE) from error
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise PluginError(f"Google cannot be reached: {reason}", _OFFLINE) from error
        if found is None:
            raise PluginError("Google's response contains no sound", _OFFLINE)
        return base64.b64decode(found[1])


def _code(language: str) -> str | None:
    """Return gTTS's name for ``language`` ("en" for "en-GB", "fr-CA" for "fr_ca"), None if it does not speak it."""
    from gtts.lang import tts_langs

    spoken = {name.lower(): name for name in tts_langs()}
    written, plain = language.replace("_", "-").lower(), base(language)
    if plain == "zh" and (chosen := next((code for part, code in _CHINESE.items() if part in written.split("-")), "")):
        written = chosen
    return spoken.get(written) or spoken.get(plain) or spoken.get(_OTHER_CODES.get(plain, ""))
