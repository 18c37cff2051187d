"""A real RTSP camera for tests, with GStreamer: run as a script by the Python that has `gi`.

    /usr/bin/python3 rtsp_server.py PORT [USER:PASSWORD|-] [FILM.mp4 [shared]]

Serves rtsp://127.0.0.1:PORT/door, H.264, 160x120 at 20 frames a second, or FILM unchanged, from its beginning for
every viewer, or shared by all, who join it where it is, as at a real camera; with digest authentication if an
account is given. Prints "ready" when it listens.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

BALL = (
    "( videotestsrc is-live=true pattern=ball ! video/x-raw,width=160,height=120,framerate=20/1"
    " ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=10 threads=1"
    " ! rtph264pay name=pay0 pt=96 config-interval=1 )"
)

FILM = '( filesrc location="{}" ! qtdemux ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=1 )'


def camera(film: str, shared: bool) -> GstRtspServer.RTSPMediaFactory:
    """A bouncing ball, encoded once for all viewers, or ``film``."""
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(FILM.format(film) if film else BALL)
    factory.set_shared(shared or not film)
    return factory


def protect(server: GstRtspServer.RTSPServer, factory: GstRtspServer.RTSPMediaFactory, account: str) -> None:
    """Let in only the user of ``account`` (USER:PASSWORD)."""
    user, password = account.split(":", 1)
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(2)  # GST_RTSP_AUTH_DIGEST
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth.add_digest(user, password, token)
    server.set_auth(auth)
    rights = "viewer, media.factory.access=(boolean)true, media.factory.construct=(boolean)true"
    factory.add_role_from_structure(Gst.Structure.new_from_string(rights))


def main(port: str, account: str = "-", film: str = "", shared: str = "") -> None:
    """Serve until killed."""
    Gst.init(None)
    server, factory = GstRtspServer.RTSPServer(), camera(film, bool(shared))
    server.set_address("127.0.0.1")
    server.set_service(port)
    if account != "-":
        protect(server, factory, account)
    server.get_mount_points().add_factory("/door", factory)
    if not server.attach(None):
        raise SystemExit(f"port {port} is in use")
    print("ready", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main(*sys.argv[1:])
