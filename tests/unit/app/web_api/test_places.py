"""Where the page's socket is."""

from facesecure.app.web_api.places import likely_places, own_place


def test_run_by_hand_it_is_beside_the_control_socket(tmp_path, monkeypatch):
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    (tmp_path / "service").mkdir()
    assert own_place(tmp_path, tmp_path / "service") == tmp_path / "web.sock"


def test_a_service_has_it_in_the_folder_that_the_web_process_may_enter(tmp_path, monkeypatch):
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path / "run"))
    assert own_place(tmp_path, tmp_path / "service") == tmp_path / "run" / "web.sock"
    (tmp_path / "service").mkdir()
    assert own_place(tmp_path, tmp_path / "service") == tmp_path / "service" / "web.sock"


def test_the_web_process_looks_at_its_own_daemon_first(tmp_path, monkeypatch):
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    assert likely_places(tmp_path)[0] == tmp_path / "web.sock"
    assert [str(place) for place in likely_places(None)] == ["/run/facesecure-web/web.sock", "/run/facesecure/web.sock"]
