"""Where the other DAV servers come from: Debian's packages unpacked, PyPI's in an environment.

Nothing of the system changes: Cyrus cannot be installed beside Dovecot, so that its packages are
unpacked into a folder, with the libraries that they need.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

DEFAULT = Path(__file__).resolve().parent.parent / "build" / "peers"
_PYTHON = ("radicale==3.9.*", "xandikos==0.4.*", "wsgidav==4.4.*", "cheroot", "lxml")
_DEBIAN = (
    *("cyrus-common", "cyrus-imapd", "cyrus-caldav", "sasl2-bin"),
    *("libical3", "libshp2", "libwrap0", "libpcre3", "libxapian30", "libjansson4"),
    *("libnghttp2-14", "libbrotli1", "libldap-2.5-0", "libzephyr4", "libpq5", "libclamav12"),
    *("apache2-bin", "libapr1", "libaprutil1", "libaprutil1-ldap", "libcurl4", "liblua5.3-0"),
)
_LIBRARIES = ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib/cyrus")


class Cache:
    """The folder that they are kept in."""

    def __init__(self, folder: Path = DEFAULT) -> None:
        self.folder = folder
        self.root = folder / "root"

    def program(self, path: str) -> Path:
        """A program of a Debian package. Raises ``RuntimeError`` when it is missing."""
        return self._there(self.root / path)

    def python(self, name: str) -> Path:
        """A program of a Python package. Raises ``RuntimeError`` when it is missing."""
        return self._there(self.folder / "python" / "bin" / name)

    @staticmethod
    def _there(file: Path) -> Path:
        if not file.exists():
            raise RuntimeError(f"{file} is missing: run with --fetch")
        return file

    @property
    def libraries(self) -> str:
        """The value of ``LD_LIBRARY_PATH`` for the Debian programs."""
        return ":".join(str(self.root / one) for one in _LIBRARIES)

    def fetch(self) -> list[str]:
        """Get what is missing; what went wrong, one line for each."""
        self.folder.mkdir(parents=True, exist_ok=True)
        wrong = []
        for work in (self._fetch_python, self._fetch_debian):
            try:
                work()
            except (OSError, subprocess.CalledProcessError) as error:
                wrong.append(str(error))
        return wrong

    def _fetch_python(self) -> None:
        home = self.folder / "python"
        if (home / "bin" / "wsgidav").exists():
            return
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        command = [str(home / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*command, *_PYTHON], check=True)

    def _fetch_debian(self) -> None:
        if (self.root / "usr/lib/cyrus/bin/httpd").exists():
            return
        packages = self.folder / "debian"
        packages.mkdir(exist_ok=True)
        subprocess.run(["apt-get", "--quiet", "download", *_DEBIAN], cwd=packages, check=True)
        for package in packages.glob("*.deb"):
            subprocess.run(["dpkg", "-x", str(package), str(self.root)], check=True)
