"""``facesecure models``. Fetching itself is tested with ``download``; here, what people and programs are told."""

import hashlib
import http.server
import threading

import pytest

from facesecure.vision.inference import model_registry
from support.tls import Authority


def test_bundled_and_available_models_are_listed(facesecure):
    listed = {model["name"]: model for model in facesecure("models", "list", "--json").json["models"]}
    assert listed["pnet"]["status"] == "bundled"
    assert listed["yunet"]["status"] == "available"
    assert listed["yunet"]["card"]["licence"] == "MIT"
    assert "available" in facesecure("models", "list").out


def test_bundled_models_are_verified(facesecure):
    results = facesecure("models", "verify", "--json").json["models"]
    assert results
    assert all(result["ok"] for result in results)
    assert facesecure("models", "verify", "pnet").code == 0


def test_a_model_that_is_not_here_is_refused_and_those_that_are_named(facesecure):
    outcome = facesecure("models", "verify", "nonet")
    assert outcome.code == 2
    assert "pnet" in outcome.err
    assert facesecure("models", "pull", "nonet").code == 2


def test_a_damaged_model_fails_the_verification(facesecure, state):
    folder = state / "models"
    folder.mkdir(parents=True)
    card = next(entry for entry in model_registry.list_models() if entry.name == "pnet")
    (folder / "door.json").write_bytes(card.path.with_suffix(".json").read_bytes())
    (folder / "pnet.tflite").write_bytes(card.path.read_bytes())
    assert facesecure("models", "verify").code == 1, "no one trusts it yet"
    trusted = facesecure("models", "trust", "door", "--json")
    assert trusted.json["path"] == str(folder / "pnet.tflite"), trusted.err
    assert facesecure("models", "verify").code == 0
    (folder / "pnet.tflite").write_bytes(b"not the model")
    outcome = facesecure("models", "verify", "--json")
    assert outcome.code == 1
    (wrong,) = [result for result in outcome.json["models"] if not result["ok"]]
    assert wrong["name"] == "door"
    assert wrong["hint"]


@pytest.fixture
def mirrored(tmp_path, monkeypatch):
    """A loopback server of the files in a folder: its address, and the folder."""
    folder = tmp_path / "mirror"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    def handler(*arguments):
        return Quiet(*arguments, directory=str(folder))

    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.root))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.socket = authority.context().wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"https://127.0.0.1:{server.server_address[1]}", folder
        server.shutdown()
        thread.join()


@pytest.fixture
def mirror(mirrored, monkeypatch):
    """A mirror with a file of our own under YuNet's name."""
    url, folder = mirrored
    content = bytes(range(256)) * 50
    card = model_registry.downloadable_card("yunet")
    ours = card.model_copy(update={"size": len(content), "sha256": hashlib.sha256(content).hexdigest()})
    monkeypatch.setattr(model_registry, "downloadable_card", lambda name: ours)
    (folder / card.file).write_bytes(content)
    return url, folder / card.file


def test_the_networks_against_pictures_are_pulled_and_converted_by_one_name(facesecure, state, mirrored, shared_data):
    url, folder = mirrored
    given = sorted((shared_data / "models" / "antispoof").iterdir())
    for name, file in zip(model_registry.to_pull("antispoof"), given, strict=True):
        (folder / model_registry.remote_file(name).name).write_bytes(file.read_bytes())
    outcome = facesecure("models", "pull", "antispoof", "--mirror", url, "--json")
    assert outcome.code == 0, outcome.err
    assert [model["licence"] for model in outcome.json["models"]] == ["Apache-2.0", "Apache-2.0"]
    assert "trained on CelebA-Spoof (non-commercial research use)" in outcome.err
    assert {file.suffix for file in (state / "models").iterdir()} == {".json", ".tflite"}
    assert facesecure("models", "verify").code == 0


def test_a_model_is_pulled_and_its_licence_shown(facesecure, state, mirror):
    url, file = mirror
    outcome = facesecure("models", "pull", "yunet", "--mirror", url, "--json")
    assert outcome.code == 0
    assert (state / "models" / file.name).read_bytes() == file.read_bytes()
    assert outcome.json["licence"] == "MIT"
    assert "licence MIT" in outcome.err


def test_a_file_that_is_not_what_was_promised_is_not_kept(facesecure, state, mirror):
    url, file = mirror
    file.write_bytes(file.read_bytes()[::-1])
    outcome = facesecure("models", "pull", "yunet", "--mirror", url)
    assert outcome.code == 1
    assert "SHA-256" in outcome.err
    assert not (state / "models" / file.name).exists()


def test_an_address_that_is_not_encrypted_is_refused(facesecure, state):
    outcome = facesecure("models", "pull", "yunet", "--mirror", "http://127.0.0.1:9")
    assert outcome.code == 1
    assert "only https addresses without a user name are used" in outcome.err
    assert "put the file at STATE_DIR/models/" in outcome.err
    assert list((state / "models").iterdir()) == []


def test_without_a_network_it_says_so(facesecure):
    outcome = facesecure("models", "pull", "yunet", "--mirror", "https://127.0.0.1:9")
    assert outcome.code == 1
    assert "cannot reach" in outcome.err
    assert "hint: check the network" in outcome.err
