"""What is said, word for word: a wrong article is heard every day."""

import pytest

from facesecure.domain import Subject
from facesecure.domain.languages import NEEDED, SHIPPED, SLOTS
from facesecure.domain.messages import PhraseBook, Phrases

ENGLISH = Phrases("en", "front door")
FRENCH = Phrases("fr", "front door")
GERMAN = {
    "known": "{name} steht vor der Tür",
    "stranger": "Vor der Tür steht ein Fremder",
    "unidentified": "Da war jemand oder etwas",
    "corrected_known": "Korrektur: {name} steht vor der Tür",
    "corrected_stranger": "Korrektur: es ist ein Fremder",
    "camera_offline": "Die Kamera ist aus",
    "camera_back": "Die Kamera ist wieder da",
    "camera_frozen": "Das Bild steht still",
    "camera_covered": "Die Kamera ist verdeckt",
    "camera_moved": "Die Kamera wurde bewegt",
    "service_restored": "Die Datenbank kam aus der Sicherung",
    "service_unwritable": "Die Platte nimmt nichts mehr an",
    "service_disk_full": "Die Platte ist voll",
    "service_undelivered": "Eine Meldung kam nicht an",
    "drill": "Eine Übung. {sentence}",
    "test": "Ein Test",
    "one_held_back": "{text} (und eine zuvor)",
    "held_back": "{text} (und {count} zuvor)",
}


@pytest.mark.parametrize(
    ("phrases", "said"),
    [
        (
            ENGLISH,
            [
                "Anna is at the front door",
                "A stranger is at the front door",
                "Somebody or something was at the front door",
                "Correction: Anna is at the front door",
                "Correction: a stranger is at the front door",
                "The camera is offline",
                "The database was restored from a backup",
                "This is a drill. A stranger is at the front door",
                "This is a test: nobody is at the front door",
            ],
        ),
        (
            FRENCH,
            [
                "Anna est à la porte d'entrée",
                "Une personne inconnue est à la porte d'entrée",
                "Quelqu'un ou quelque chose était à la porte d'entrée",
                "Rectification : Anna est à la porte d'entrée",
                "Rectification : une personne inconnue est à la porte d'entrée",
                "La caméra est hors ligne",
                "La base de données a été restaurée à partir d'une sauvegarde",
                "Ceci est un exercice. Une personne inconnue est à la porte d'entrée",
                "Ceci est un essai : il n'y a personne à la porte d'entrée",
            ],
        ),
    ],
    ids=["en", "fr"],
)
def test_each_sentence_has_its_words(phrases, said):
    assert [
        phrases.known("Anna"),
        phrases.stranger(),
        phrases.unidentified(),
        phrases.known("Anna", correction=True),
        phrases.stranger(correction=True),
        phrases.camera("offline"),
        phrases.service("restored"),
        phrases.drill(phrases.stranger()),
        phrases.test(),
    ] == said


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("garage", "Anna est au garage"),
        ("Portail", "Anna est au portail"),
        ("garden", "Anna est dans le jardin"),
        ("driveway", "Anna est dans l'allée"),
        ("porte d’entrée", "Anna est à la porte d'entrée"),
        ("véranda", "Anna est devant la caméra véranda"),
    ],
)
def test_french_puts_the_right_word_before_a_place_and_avoids_what_it_cannot_know(place, said):
    assert Phrases("fr", place).known("Anna") == said


def test_a_household_says_where_its_camera_is_in_its_own_words():
    assert Phrases("fr", "véranda", where="sous la véranda").stranger() == "Une personne inconnue est sous la véranda"


def test_a_household_gives_its_own_sentences_and_keeps_the_rest():
    own = Phrases("en", "gate", {"stranger": "Who is that at our {place}?"})
    assert own.stranger() == "Who is that at our gate?"
    assert own.known("Anna") == "Anna is at the gate"


def test_a_country_does_not_change_the_sentences():
    assert Phrases("fr-CA").stranger() == FRENCH.stranger()
    assert Phrases("EN_gb").stranger() == ENGLISH.stranger()


def test_any_language_can_be_given_whole():
    phrases = Phrases("de", "Tür", GERMAN)
    assert phrases.known("Anna") == "Anna steht vor der Tür"
    assert phrases.held_back("Anna", 2) == "Anna (und 2 zuvor)"


def test_a_language_with_a_sentence_missing_is_refused_with_that_sentence_in_english():
    given = {key: sentence for key, sentence in GERMAN.items() if key != "camera_moved"}
    with pytest.raises(ValueError, match=r"'de'.*\[speech\.phrases\].*camera_moved = \"The camera was moved\"$"):
        Phrases("de", "Tür", given)


@pytest.mark.parametrize(
    ("key", "sentence", "complaint"),
    [
        ("stanger", "Who is that?", "did you mean 'stranger'"),
        ("zzz", "Who is that?", "there are: known, stranger"),
        ("known", "Somebody is here", "needs {name}"),
        ("stranger", "{name} is here", "there is no {name} in it"),
        ("known", "{name.__class__} is here", "there is no {name.__class__} in it"),
        ("known", "{name!r} is here", "there is no {name} in it"),
        ("known", "{name:>99} is here", "there is no {name} in it"),
        ("known", "{} is here", "there is no {} in it"),
        ("known", "{name is here", "a slot is written {where}"),
        ("test", " ... ", "it has no words"),
    ],
)
def test_a_sentence_that_could_not_be_said_is_refused_when_the_settings_are_read(key, sentence, complaint):
    with pytest.raises(ValueError, match=f"^{key}: ") as refused:
        Phrases("en", "front door", {key: sentence})
    assert complaint in str(refused.value)


def test_every_complaint_is_told_at_once():
    with pytest.raises(ValueError, match=r"known: .*; test: .*"):
        Phrases("en", "front door", {"known": "hm", "test": "?"})


def test_a_name_is_said_as_it_is_written_whatever_is_in_it():
    assert ENGLISH.known("{place} O'Neil von Åsen") == "{place} O'Neil von Åsen is at the front door"


def test_there_is_nothing_to_say_of_a_trouble_nobody_has_heard_of():
    with pytest.raises(ValueError, match="offline, back, frozen, covered, moved"):
        ENGLISH.camera("sleepy")
    with pytest.raises(ValueError, match="restored"):
        ENGLISH.service("sleepy")


def test_what_was_held_back_is_counted():
    assert ENGLISH.held_back("Anna", 0) == "Anna"
    assert ENGLISH.held_back("Anna", 1) == "Anna (one earlier alert was held back)"
    assert FRENCH.held_back("Anna", 3) == "Anna (3 alertes précédentes ont été retenues)"


@pytest.mark.parametrize("phrases", [ENGLISH, FRENCH, Phrases("de", "Tür", GERMAN)], ids=["en", "fr", "de"])
def test_every_sentence_that_can_be_spoken_can_be_made_beforehand(phrases):
    every = phrases.every(["Anna", "Ben"])
    spoken = [
        *(phrases.known(name, correction=later) for name in ("Anna", "Ben") for later in (False, True)),
        *(phrases.stranger(correction=later) for later in (False, True)),
        phrases.unidentified(),
        *(phrases.unidentified(subject) for subject in Subject),
        phrases.doubted_aloud(),
        *(phrases.camera(trouble) for trouble in ("offline", "back", "frozen", "covered", "moved")),
        *(phrases.service(event) for event in ("restored", "unwritable", "disk_full", "undelivered")),
        phrases.test(),
        phrases.drill(phrases.stranger()),
        phrases.drill(phrases.unidentified()),
    ]
    assert sorted(every) == sorted(set(spoken))
    assert every[0] == phrases.stranger(), "the most urgent is made first"


def test_what_is_said_of_a_person_is_all_in_what_is_forgotten_with_them():
    for phrases in (ENGLISH, FRENCH):
        with_anna = set(phrases.every(["Anna"])) - set(phrases.every())
        assert with_anna <= set(phrases.about("Anna"))
        assert all("Anna" in sentence for sentence in phrases.about("Anna"))


@pytest.mark.parametrize("language", SHIPPED)
def test_each_language_that_is_shipped_has_every_sentence_and_no_slot_that_is_not_filled(language):
    sentences = SHIPPED[language].sentences
    assert set(sentences) == set(SLOTS)
    assert Phrases(language, "gate", dict(sentences)).every(["Anna"]), "and they pass as a household's own"
    assert all(f"{{{slot}}}" in sentences[key] for key, slot in NEEDED.items())


def test_of_several_cameras_the_one_in_trouble_is_named():
    assert Phrases("en", "gate", several=True).camera("offline") == "The gate camera is offline"
    assert Phrases("fr", "portail", several=True).camera("back") == "La caméra portail est de retour"
    own = Phrases("en", "gate", {"camera_offline": "{place}: gone"}, several=True)
    assert own.camera("offline") == "gate: gone"


@pytest.mark.parametrize("language", sorted(SHIPPED))
def test_every_trouble_of_a_camera_has_a_sentence_that_names_it(language):
    troubles = {key for key in SLOTS if key.startswith("camera_")}
    assert set(SHIPPED[language].several) == troubles
    for sentence in SHIPPED[language].several.values():
        assert "{place}" in sentence


def book(language: str) -> PhraseBook:
    return PhraseBook([Phrases(language, place, several=True) for place in ("gate", "front door", "garage")])


def test_where_somebody_walked_is_said_in_order_and_each_stop_once():
    walk = ["gate", "gate", "front door", "gate"]
    assert book("en").route(walk) == "at the gate, then at the front door, then at the gate"
    assert book("fr").route(walk) == "au portail, puis à la porte d'entrée, puis au portail"
    assert book("en").route(["gate", "Gate"]) == ""
    assert book("en").route([]) == ""


def test_a_camera_that_the_book_does_not_know_has_the_sentences_of_the_first():
    assert book("en").of("cellar").stranger() == "A stranger is at the gate"
    assert book("en").of(" Front  Door ").stranger() == "A stranger is at the front door"
    assert book("en").of(None).place == "gate"


def test_what_moved_is_worded_as_unidentified_in_a_language_written_before_it_was_known():
    german = Phrases("de", "Tür", GERMAN)
    assert {german.unidentified(subject) for subject in Subject} == {GERMAN["unidentified"]}
    own = Phrases("de", "Tür", {**GERMAN, "person": "Da ist ein Mensch"})
    assert own.unidentified(Subject.PERSON) == "Da ist ein Mensch"
