"""A Thunderbird without a window that knows an address and a password, and a way to Folkmoot.

Folkmoot stands on free ports of this machine, and nobody has example.test in the DNS. So
Thunderbird's requests by HTTP go through a proxy (``Tunnel``), which leads all of example.test to
Folkmoot. That is what the DNS records of docs/setup.md do elsewhere; everything else is as people
have it. Mail is at the ports that autoconfig tells, on localhost.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.e2e.conftest import Demo
from tests.e2e.marionette import Marionette

DOMAIN = "example.test"
_SCRIPTS = Path(__file__).parent / "thunderbird_js"
_START_SECONDS = 120
_PAC = (
    "data:application/x-ns-proxy-autoconfig,function FindProxyForURL(url, host) "
    "{{ return (host == '{domain}' || dnsDomainIs(host, '.{domain}')) ? "
    "'PROXY 127.0.0.1:{port}' : 'DIRECT'; }}"
)
_PREFERENCES: dict[str, bool | int | str] = {
    "network.proxy.type": 2,
    "signon.rememberSignons": True,  # as people have it; Marionette would turn it off
    # No question to anybody but Folkmoot.
    "mailnews.auto_config_url": "",
    "mailnews.start_page.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
    "app.update.enabled": False,
    "extensions.update.enabled": False,
    "mail.shell.checkDefaultClient": False,
}


class Thunderbird:
    """A running Thunderbird. ``asked`` are the targets of its requests by HTTP, in their order."""

    def __init__(self, marionette: Marionette, asked: list[str]) -> None:
        self._marionette = marionette
        self._library = "\n".join(file.read_text() for file in sorted(_SCRIPTS.glob("*.js")))
        self.asked = asked

    def call(self, function: str, *args: Any) -> Any:
        """Call a function of the scripts. Raises ``ScriptError``."""
        return self._marionette.run(f"{self._library}\nreturn {function}(...args);", *args)


@contextlib.contextmanager
def running(demo: Demo, folder: Path) -> Iterator[Thunderbird]:
    """A Thunderbird with a new profile in a folder; it ends with the context."""
    assert shutil.which("thunderbird"), "thunderbird is not installed: run tests/e2e/clients.sh"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    tunnel = Tunnel({80: demo.port(80), 443: demo.port(443)})
    profile = folder / "profile"
    profile.mkdir()
    preferences = _PREFERENCES | {
        "marionette.port": port,
        "network.proxy.autoconfig_url": _PAC.format(domain=DOMAIN, port=tunnel.port),
    }
    lines = [f"user_pref({_js(name)}, {_js(value)});\n" for name, value in preferences.items()]
    (profile / "user.js").write_text("".join(lines))
    words = ["thunderbird", "--headless", "--marionette", "-remote-allow-system-access"]
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [*words, "--profile", str(profile)],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | {"HOME": str(folder), "MOZ_CRASHREPORTER_DISABLE": "1"},
            start_new_session=True,
        )
    try:
        marionette = Marionette(port, _START_SECONDS)
        yield Thunderbird(marionette, tunnel.asked)
        marionette.close()
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        tunnel.close()


def _js(value: bool | int | str) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)


class Tunnel:
    """A proxy that leads every host to this machine: ``ports`` says where instead of the usual."""

    def __init__(self, ports: dict[int, int]) -> None:
        self.asked: list[str] = []
        self._ports = ports
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections; those that there are end with their clients."""
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        """CONNECT gets a connection for TLS; anything else goes to HTTP as it is."""
        with client, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                data = client.recv(65536)
                if not data:
                    return
                head += data
            method, target = head.split(b" ", 2)[:2]
            self.asked.append(f"{method.decode()} {target.decode()}")
            secure = method == b"CONNECT"
            with socket.create_connection(("127.0.0.1", self._ports[443 if secure else 80])) as far:
                if secure:
                    client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
                else:
                    far.sendall(head)
                back = threading.Thread(target=_copy, args=(far, client), daemon=True)
                back.start()
                _copy(client, far)
                back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
