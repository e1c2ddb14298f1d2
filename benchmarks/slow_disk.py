"""A disk that takes longer to make writes durable: a library that is loaded before the server's.

It waits in ``fsync`` and ``fdatasync`` after the real one has returned, in that thread alone, as a
slower disk would let it wait.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

static int delayed(const char *name, int descriptor)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    int result = real(descriptor);
    int error = errno;
    const char *given = getenv("BENCH_DISK_DELAY_US");
    long microseconds = given ? atol(given) : 0;
    struct timespec left = {microseconds / 1000000, microseconds % 1000000 * 1000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
    errno = error;
    return result;
}

int fsync(int descriptor) { return delayed("fsync", descriptor); }
int fdatasync(int descriptor) { return delayed("fdatasync", descriptor); }
"""


class NoCompiler(Exception):
    """There is no ``cc`` to build the library with."""


def environment(folder: Path, milliseconds: float) -> dict[str, str]:
    """Variables for a process whose disk takes so much longer; the library is built in ``folder``.

    Raises ``NoCompiler``, ``subprocess.CalledProcessError``.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        raise NoCompiler
    source, library = folder / "slow_disk.c", folder / "slow_disk.so"
    source.write_text(_SOURCE)
    command = [compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(source), "-ldl"]
    subprocess.run(command, check=True)
    return {"LD_PRELOAD": str(library), "BENCH_DISK_DELAY_US": str(round(milliseconds * 1000))}
