# make setup   build .venv with all that tests, lint and training need, and what the system lacks
# make demo    the whole journey on a clip made here; builds only what the daemon itself needs
# make test    everything but the tests marked slow
# make bench   facesecure against two other systems, on a clip of a front door drawn here
# make faults  every fault and attack done on purpose, and the tables in docs/reliability.md of what was seen
# make lint    ruff, mypy, and the order of imports
# make lock    resolve the packages anew, with hashes, into requirements/ (UPGRADE=1: the newest versions)
# make audit   known vulnerabilities of these packages; make sbom   what is shipped, as CycloneDX in out/sbom.json
# make pictures   the pictures of the page in docs/page, taken of the real one
# make deb     the Debian package in out/ (SUITE=bookworm|trixie, ARCH=amd64|arm64)
# make container   what a container and Home Assistant's add-on are built from, in out/container-ARCH (ARCH=amd64|arm64)
# make docs    the documentation as a site, in out/docs, its links checked
# make clean   remove what these made
# sudo make install | uninstall   the service: /opt/facesecure, /etc/facesecure, /var/lib/facesecure
#
# Each target builds what it needs first; what is built is not built again, so afterwards no network is needed.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# The tests start thousands of programs: where bytecode is not kept, each compiles every module anew.
unexport PYTHONDONTWRITEBYTECODE

# Debian's own Python where there is one: a service that hides home directories can still run a venv made of it.
PYTHON ?= $(shell for python in /usr/bin/python3 python3.13 python3.12 python3.11 python3; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)
# The older interpreter has wheels up to Python 3.11.
PYTHON_TFLITE ?= $(shell for python in /usr/bin/python3 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null && { echo $$python; break; }; done)

# On a Raspberry Pi picamera2 comes from apt, and a venv sees it only if it is told to.
VENV_FLAGS := $(shell $(PYTHON) -c 'import importlib.util as u; u.find_spec("picamera2") and print("--system-site-packages")')

PIP := -m pip --disable-pip-version-check install --quiet
# What a lock file lists, if its SHA-256 is the listed one; nothing is built, so no foreign code runs while installing.
LOCKED := $(PIP) --no-deps --require-hashes --only-binary :all:
# Ourselves, with what requirements/build.txt installed.
OURSELVES := $(PIP) --no-deps --no-build-isolation --editable .
# pip unpacks some 400 MB, and /tmp may be memory: half of a small board's.
ON_DISK := mkdir -p .venv/tmp && TMPDIR="$(CURDIR)/.venv/tmp"
AS_ROOT := $(shell [ "$$(id -u)" = 0 ] || { command -v sudo >/dev/null && echo "sudo -n"; })
# A real RTSP server for the tests of network cameras, a system to boot for those of the service, and a browser for those
# of the page. Without them these tests are skipped, and say so; with CI=true a missing browser is a failure. The C
# compiler makes libraries that a test loads as foreign ones. Home Assistant, which its test installs, is partly built.
TEST_PACKAGES := python3-gi gir1.2-gst-rtsp-server-1.0 gir1.2-gstreamer-1.0 gstreamer1.0-plugins-base \
	gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly gstreamer1.0-plugins-bad gstreamer1.0-libav \
	systemd systemd-container python3-systemd espeak-ng alsa-utils gcc g++ libc6-dev python3-dev openssl chromium mosquitto shellcheck \
	postgresql \
	mmdebstrap dpkg-dev lintian

.PHONY: deb container help setup demo test test-slow bench faults lint lock audit sbom docs pictures clean install uninstall

help:
	@grep -E '^# (sudo )?make' Makefile | sed 's/^# //'

setup: .venv/.dev .venv/.system .venv-tflite/.done

# The venv, with Debian's missing piece of Python where it is missing and may be installed.
.venv/.made:
	@[ "$$(getconf LONG_BIT)" = 64 ] || { echo "this is a 32-bit system, and the TFLite interpreter exists for 64-bit" \
		"systems only: install Raspberry Pi OS (64-bit)" >&2; exit 1; }
	@[ -n "$(PYTHON)" ] || { echo "facesecure needs Python 3.11 or newer; on Debian: apt install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "installing python3-venv"; \
		{ $(AS_ROOT) apt-get update -qq && DEBIAN_FRONTEND=noninteractive $(AS_ROOT) apt-get install -y -qq python3-venv; } \
		|| { echo "could not; do it yourself: sudo apt install python3-venv" >&2; exit 1; }; }
	$(PYTHON) -m venv $(VENV_FLAGS) .venv
	@touch $@

# The daemon and nothing else: enough for `make demo`, and quick.
.venv/.base: .venv/.made pyproject.toml requirements/build.txt requirements/base.txt requirements/camera.txt
	$(ON_DISK) .venv/bin/python $(LOCKED) -r requirements/build.txt -r requirements/base.txt
	$(ON_DISK) .venv/bin/python $(OURSELVES)
	@# apt's simplejpeg is built for numpy 1, and picamera2 cannot be imported with it beside the numpy 2 of the venv
	@if .venv/bin/python -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec("picamera2") is None)'; then \
		$(ON_DISK) .venv/bin/python $(LOCKED) -r requirements/camera.txt; fi
	@touch $@

# What tests, lint and training need as well; TensorFlow is most of it.
.venv/.dev: .venv/.base requirements/setup.txt
	$(ON_DISK) .venv/bin/python $(LOCKED) -r requirements/setup.txt
	@touch $@

# What builds the site.
.venv/.docs: .venv/.base requirements/docs.txt
	.venv/bin/python $(LOCKED) -r requirements/docs.txt
	@touch $@

# Best effort: the tests that need these are skipped without them.
.venv/.system: .venv/.made
	@if dpkg --status $(TEST_PACKAGES) >/dev/null 2>&1; then :; \
	elif ! command -v apt-get >/dev/null; then echo "no apt-get here: some tests will be skipped"; \
	else echo "installing what some tests need: an RTSP server, a system to boot, a browser"; \
		{ $(AS_ROOT) apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
		  $(AS_ROOT) apt-get install -y -qq --no-install-recommends $(TEST_PACKAGES) >/dev/null; } \
		|| echo "could not: some tests will be skipped"; \
	fi
	@touch $@

# A second venv with the older interpreter: the two cannot live in one process, nor with the same numpy.
.venv-tflite/.done: pyproject.toml requirements/tflite.txt requirements/build.txt .venv/.made
	@if [ -z "$(PYTHON_TFLITE)" ]; then echo "no Python 3.11: tests on tflite-runtime will be skipped"; mkdir -p .venv-tflite; \
	else $(PYTHON_TFLITE) -m venv .venv-tflite && \
		.venv-tflite/bin/python $(LOCKED) -r requirements/build.txt -r requirements/tflite.txt && \
		.venv-tflite/bin/python $(OURSELVES) \
		|| { echo "could not install tflite-runtime: its tests will be skipped"; rm -rf .venv-tflite; mkdir .venv-tflite; }; fi
	@touch $@

# The others of the bench. face_recognition asks for dlib's source; dlib-bin is the same, built.
.venv-bench/.done: .venv/.made
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python $(PIP) 'numpy' 'opencv-python-headless>=4.9,<5' 'av>=12' 'ai-edge-litert>=2.1' \
		dlib-bin face_recognition_models 'setuptools<81' pillow
	.venv-bench/bin/python $(PIP) --no-deps face_recognition==1.3.0
	@touch $@

demo: .venv/.base
	.venv/bin/facesecure demo

# Four processes, on two cores too: a third of the time, tests wait for something. NumPy's own threads would wait for each
# other and keep the cores busy with it: a sixth of all processor time.
test test-slow: export OPENBLAS_NUM_THREADS = 1
test: setup
	.venv/bin/python -m pytest -m 'not slow' -n 4 --dist loadfile

# Random damage keeps one core busy, a quarter of a minute for each parser, and browsers look at the page on the other;
# then, without the household that they look at, come those that boot systems, cut networks, measure.
test-slow: setup
	.venv/bin/python -m pytest -m slow -n 2 --dist loadfile tests/attacks/test_fuzz_*.py tests/browser
	.venv/bin/python -m pytest -m slow -n 2 --dist loadfile --durations 25 --durations-min 20 \
		--ignore-glob='*/test_fuzz_*.py' --ignore=tests/browser

bench: setup .venv-bench/.done
	.venv/bin/python -m benchmarks.door
	.venv/bin/python -m benchmarks.cameras
	.venv/bin/python -m benchmarks.idle

faults: setup
	.venv/bin/python -m pytest tests/faults tests/attacks --table

lint: .venv/.dev
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports

docs: .venv/.docs
	.venv/bin/python docs/generate.py
	.venv/bin/python -m sphinx -q -E -W --keep-going -n -b html -d out/docs-doctrees docs out/docs
	@echo "open out/docs/index.html"

pictures: setup
	FACESECURE_PICTURES=docs/page .venv/bin/python -m pytest -m slow tests/browser/test_pictures.py

lock: .venv/.dev
	requirements/lock.sh

audit: .venv/.dev
	@.venv/bin/python -m supply_chain.audit

sbom: .venv/.dev
	@.venv/bin/python -m supply_chain.sbom

deb: .venv/.dev
	@deb/build.sh $(SUITE) $(ARCH)

container: .venv/.dev
	@deploy/container/collect.sh $(ARCH)

install:
	@systemd/install.sh

uninstall:
	@systemd/uninstall.sh

clean:
	rm -rf .venv .venv-tflite .venv-bench build dist out demo-out .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find daemon plugins training benchmarks tests -name __pycache__ -type d -prune -exec rm -rf {} +

# On demand, in chroots outside of the tree (FACESECURE_CHROOTS; ~/.cache/facesecure/chroots): both want root.
# make test-picamera   the Debian package with picamera2: images of libcamera's virtual camera on Debian 13, and on 12 that
#                      apt's simplejpeg, built for NumPy 1, does no harm
# make test-deb-arm64  the files of the Debian package for arm64, in the same way (SUITE=bookworm|trixie)
# make test-arm64      the wheel, its models and the demo as a 64-bit Pi would run them, emulated (SUITE=bookworm|trixie)
.PHONY: test-picamera test-arm64 test-deb-arm64
SUITE ?= bookworm

test-picamera: .venv/.dev
	tests/chroots/picamera.sh trixie
	tests/chroots/picamera.sh bookworm

test-arm64: .venv/.made
	tests/chroots/arm64.sh $(SUITE)

test-deb-arm64: .venv/.dev
	package=$$(deb/build.sh $(SUITE) arm64 | tail -1 | cut -d: -f1) && tests/chroots/arm64.sh $(SUITE) "$$package"
