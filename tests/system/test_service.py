"""The service in a booted system: started, alarmed, reloaded, killed, hung, stopped."""

from __future__ import annotations

import json
import time

from facesecure.camera.synthetic.clip import enrolment_images
from support.faults.household import BUSY
from support.service.commandline import write_picture
from support.service.installed import CLIP, IMPATIENT, PYTHON, STATE, UNIT

STOPPED_WITHIN = 3.0 + BUSY
"""Seconds; whatever has not ended by itself within TimeoutStopSec is killed, which shows in Result."""
QUIET = '[camera]\nsource = "rtsp://127.0.0.1:9/door"\nreconnect_max = 600.0\n'
"""A camera that is not there."""

STUCK = """
import sys, time
from facesecure.cli.main import main
from facesecure.pipeline.pipeline import Pipeline

step, done = Pipeline.step, 0

def stuck(pipeline, frame):
    global done
    done += 1
    if done > 10:
        time.sleep(3600)
    return step(pipeline, frame)

Pipeline.step = stuck
sys.exit(main(["run"]))
"""
"""The daemon, whose pipeline does not come back from its eleventh frame."""
DEAF = """
import signal, sys
from facesecure.cli.main import main

signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
sys.exit(main(["run"]))
"""
"""The daemon, deaf to the word that it is to end."""


def test_it_starts_is_ready_and_says_how_things_stand(service):
    service.start()
    assert service.state == "active"
    service.system.wait_for(lambda: service.status, "a status")
    assert service.status == "watching"
    assert service.command("status").startswith("watching, armed home, no one enrolled, ")
    assert service.system.run("ps", "-o", "user=", "-p", service.process).stdout.strip() == "facesecure"


def test_a_stranger_at_the_door_stands_in_the_journal_with_fields_to_search_by(service):
    service.start()
    alarm = service.wait_for_alarm("stranger")
    assert alarm["MESSAGE"] == "A stranger is at the front door"
    assert alarm["PRIORITY"] == "4"
    assert alarm["_SYSTEMD_UNIT"] == UNIT
    assert [event["id"] for event in service.events()][-1] == alarm["FACESECURE_SIGHTING"], "the first of the film's"
    service.system.wait_for(lambda: "last seen a stranger" in service.command("status"), "the status to follow", 10)


def test_sudo_facesecure_enrols_from_a_private_folder_and_the_service_knows_her(service, tmp_path):
    folder = "/home/householder/photos"
    for number, image in enumerate(enrolment_images()):
        path = write_picture(tmp_path / f"{number}.png", image)
        service.system.write(f"{folder}/{number}.png", path.read_bytes(), mode=0o600)
    service.system.run("chmod", "-R", "go-rwx", "/home/householder")
    service.command("enroll", "Grace Hopper", "--images", folder)
    owners = service.system.run("find", STATE, "-printf", "%u %m %P\\n").stdout.splitlines()
    assert {line.split()[0] for line in owners} == {"facesecure"}
    assert not any(int(line.split()[1], 8) & 0o077 for line in owners), owners

    service.start()
    alarm = service.wait_for_alarm("known")
    assert alarm["FACESECURE_NAME"] == "Grace Hopper"
    service.system.wait_for(lambda: "1 person, last seen" in service.command("status"), "the status to follow", 10)


def test_a_guest_on_the_machine_reads_nothing_of_the_household(service):
    service.start()
    service.wait_for_alarm("stranger")
    service.command("arm", "away")
    service.system.wait_for(lambda: "armed away" in service.command("status"), "the mode")
    guest = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    read = service.system.run(*guest, "systemctl", "status", UNIT, check=False).stdout
    read += service.system.run(*guest, "systemctl", "show", UNIT, check=False).stdout
    assert "StatusText=watching" in read
    assert not [word for word in ("away", "stranger", "last seen", "enrolled") if word in read]
    assert service.system.run(*guest, "facesecure", "status", check=False).returncode != 0
    assert "stranger" not in service.system.run(*guest, "journalctl", "-u", UNIT, check=False).stdout


def test_a_second_daemon_is_refused_and_told_who_the_first_is(service):
    service.start(QUIET)
    second = service.system.run("facesecure", "run", check=False)
    assert second.returncode == 1
    assert f"(process {service.process})" in second.stderr
    assert service.state == "active"
    assert json.loads(service.command("people", "list", "--json")) == {"people": []}, "other commands work beside it"


def test_a_good_configuration_is_taken_up_by_the_same_process(service):
    service.start(QUIET)
    process = service.process
    service.configure(CLIP.replace("[camera]", '[camera]\nname = "garden gate"'))
    service.system.run("systemctl", "reload", UNIT)
    assert service.wait_for_alarm("stranger")["MESSAGE"] == "A stranger is at the garden gate"
    assert service.process == process


def test_a_broken_configuration_is_refused_with_the_line_and_the_old_one_kept(service):
    service.start(QUIET)
    process = service.process
    service.configure(QUIET + 'file_speed = "reel"\n')
    reload = service.system.run("systemctl", "reload", UNIT, check=False)
    assert reload.returncode != 0
    assert service.said("line 4: camera.file_speed: must be 'fast' or 'real', not 'reel'; did you mean 'real'?")
    assert (service.state, service.process) == ("active", process)

    service.system.run("kill", "-HUP", process)  # by whoever does not ask systemd
    service.system.wait_for(lambda: "rejected" in service.status, "the status to complain")
    assert service.status.endswith("; the new configuration was rejected: see the journal")
    assert (service.state, service.process) == ("active", process)


def test_killed_it_comes_back_with_everything_it_was_told(service):
    service.start(drop_in=IMPATIENT)
    service.wait_for_alarm("stranger")
    before = service.events()[-1]
    service.system.run("kill", "-KILL", service.process)
    service.wait_for_restart()
    assert before["id"] in [event["id"] for event in service.events()]
    check = "import sqlite3, sys; print(*sqlite3.connect(sys.argv[1]).execute('PRAGMA integrity_check').fetchone())"
    assert service.system.run(PYTHON, "-c", check, f"{STATE}/facesecure.db").stdout == "ok\n"


def test_a_process_that_stands_still_is_restarted(service):
    service.start(QUIET, IMPATIENT)
    service.system.run("kill", "-STOP", service.process)
    service.wait_for_restart()
    assert service.said("Watchdog timeout")


def test_a_camera_driver_that_never_returns_is_a_hang(service):
    """Opening a pipe that nobody writes to blocks in the kernel, as a stuck driver does."""
    service.system.run("mkfifo", "--mode=644", "/srv/stuck.mp4")
    stuck = '[camera]\nsource = "file:/srv/stuck.mp4"\nfile_speed = "real"\ntimeout = 0.1\n'
    service.start(stuck, IMPATIENT)
    service.wait_for_restart()
    assert service.said("the camera's thread gave no sign of life")
    assert service.said("video.py"), "the journal shows where the thread was"


def test_a_pipeline_that_does_not_finish_its_frame_is_a_hang(service):
    """The camera goes on, the pipeline stands still."""
    service.system.write("/srv/stuck.py", STUCK.encode(), mode=0o644)
    service.start(drop_in=f"{IMPATIENT}ExecStart=\nExecStart={PYTHON} -I /srv/stuck.py\n")
    service.system.wait_for(lambda: service.said("no frame was finished for"), "the hang to be noticed")
    service.wait_for_restart()
    assert service.said("result 'watchdog'")


def test_an_unplugged_camera_restarts_nothing(service):
    """Its watchdog would wait for ten seconds: a machine that is busy for three must not look like a hang."""
    service.start(QUIET, IMPATIENT.replace("WatchdogSec=3s", "WatchdogSec=10s"))
    process = service.process
    time.sleep(25)
    assert service.process == process
    assert service.restarts == 0
    assert "no image from the front door" in service.status


def test_a_configuration_that_cannot_be_read_is_not_tried_again_and_again(service):
    service.configure("[camera\n", IMPATIENT)
    assert service.system.run("systemctl", "start", UNIT, check=False).returncode != 0
    assert service.state == "failed"
    assert service.restarts == 0
    assert service.said("is not valid TOML")


def test_it_stops_in_time_with_what_it_saw_on_the_disk(service):
    """In the middle of a visit, whose end is then now."""
    service.start()
    service.wait_for_alarm("stranger")
    assert service.stop() < STOPPED_WITHIN
    assert service.system.property(UNIT, "Result") == "success"
    event = next(event for event in service.events() if event["verdict"] == "stranger")  # the newest
    assert event["last_seen"] > event["first_seen"]


def test_it_stops_in_time_while_its_camera_says_nothing(service):
    with service.silent_camera() as address:
        service.start(f'[camera]\nsource = "{address}"\ntimeout = 60.0\n')
        assert service.stop() < STOPPED_WITHIN
    assert service.system.property(UNIT, "Result") == "success"


def test_what_does_not_end_is_killed_by_systemd_within_seconds(service):
    service.system.write("/srv/deaf.py", DEAF.encode(), mode=0o644)
    service.start(QUIET, f"[Service]\nExecStart=\nExecStart={PYTHON} -I /srv/deaf.py\n")
    process = service.process
    assert service.stop() < 8 + BUSY
    assert service.system.property(UNIT, "TimeoutStopUSec") == "5s"
    assert service.system.property(UNIT, "Result") == "timeout"
    assert not service.system.exists(f"/proc/{process}")
