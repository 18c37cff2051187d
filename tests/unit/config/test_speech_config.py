"""[speech] in the configuration file: what could not be said is refused when it is read."""

import pytest

from facesecure.alerts.speech.announcements import phrases_of
from facesecure.config.loader import load_config
from facesecure.domain.errors import ConfigError
from facesecure.domain.languages import SHIPPED


def loaded(tmp_path, text):
    file = tmp_path / "door.toml"
    file.write_text(text)
    return load_config(file)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[speech]\nvoices = ["gtt"]\n', "line 2: speech.voices[1]: must be 'gtts', 'piper', 'espeak-ng' or 'fake'"),
        ("[speech]\nvoices = []\n", "line 2: speech.voices"),
        ('[speech]\nlanguage = "a language"\n', "line 2: speech.language"),
        ('[speech]\naccent = "co.uk/x"\n', "line 2: speech.accent"),
        ('[speech]\nlanguage = "de"\n', "there are no sentences in 'de' yet"),
        ('[speech.phrases]\nknown = "Hello"\n', "speech.phrases: known: it needs {name}"),
        ('[speech.phrases]\nstranger = "{name}?"\n', "speech.phrases: stranger: there is no {name} in it"),
        ('[speech.phrases]\nstanger = "?"\n', "did you mean 'stranger'?"),
        ("[speech]\nsilence = 60\n", "line 2: speech.silence: must be at most 5"),
    ],
)
def test_what_could_not_be_said_is_refused_by_its_line(tmp_path, text, complaint):
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, text)
    assert any(complaint in problem for problem in refused.value.problems), refused.value.problems


def test_a_language_is_given_whole_in_the_file(tmp_path):
    lines = "\n".join(f"{key} = '''de: {sentence}'''" for key, sentence in SHIPPED["en"].sentences.items())
    config = loaded(tmp_path, f'[camera]\nname = "Tür"\n[speech]\nlanguage = "de"\n[speech.phrases]\n{lines}\n')
    assert phrases_of(config).known("Anna") == "de: Anna is Tür"


def test_what_is_installed_decides_which_of_the_usual_voices_speaks(tmp_path):
    assert loaded(tmp_path, "").speech.voices == ["gtts", "piper", "espeak-ng"]
