"""Faults of the machine: a library loaded before the server's lets system calls fail.

The disk can be full, read-only or broken below a folder, and the clock can jump, at any moment and
without the server's help: a test writes what is wrong into a file that both have mapped.
"""

from __future__ import annotations

import errno
import mmap
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_LAYOUT = struct.Struct("qi1012s")  # seconds, error, folder: struct control below
FULL, READ_ONLY, FORBIDDEN, BROKEN = errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO

_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct control { int64_t seconds; int32_t error; char folder[1012]; };
static struct control none;
static volatile struct control *control = &none;

#define REAL(name) static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void begin(void)
{
    const char *file = getenv("FAULTS_CONTROL");
    int descriptor = file ? open(file, O_RDWR) : -1;
    if (descriptor < 0) return;
    void *found = mmap(0, sizeof none, PROT_READ, MAP_SHARED, descriptor, 0);
    if (found != MAP_FAILED) control = found;
    close(descriptor);
}

static int below(const char *path)
{
    const char *folder = (const char *)control->folder;
    return strncmp(path, folder, strlen(folder)) == 0;
}

static int path_fails(const char *path)
{
    if (!control->error || !below(path)) return 0;
    errno = control->error;
    return 1;
}

static int file_fails(int descriptor)
{
    char link[64], path[1200];
    struct stat facts;
    int before = errno;
    if (!control->error || fstat(descriptor, &facts) != 0 || !S_ISREG(facts.st_mode)) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    if (path_fails(path)) return 1;
    errno = before;
    return 0;
}

/* What is there may be opened for writing on a full disk, and on no other. */
static int open_fails(const char *path, int flags)
{
    int writes = (flags & O_ACCMODE) != O_RDONLY;
    if (control->error == ENOSPC)
        return (flags & O_CREAT) && access(path, F_OK) != 0 && path_fails(path);
    return control->error != EIO && (writes || (flags & O_CREAT)) && path_fails(path);
}

#define OPEN(name) int name(const char *path, int flags, ...) { \
    va_list rest; va_start(rest, flags); mode_t mode = va_arg(rest, mode_t); va_end(rest); \
    REAL(name); return open_fails(path, flags) ? -1 : real(path, flags, mode); }
OPEN(open)
OPEN(open64)

#define WRITES(type, name, arguments, ...) type name arguments { \
    REAL(name); return file_fails(descriptor) ? -1 : real(__VA_ARGS__); }
WRITES(ssize_t, write, (int descriptor, const void *data, size_t size), descriptor, data, size)
WRITES(ssize_t, pwrite, (int descriptor, const void *data, size_t size, off_t at),
       descriptor, data, size, at)
WRITES(ssize_t, pwrite64, (int descriptor, const void *data, size_t size, off64_t at),
       descriptor, data, size, at)
WRITES(ssize_t, writev, (int descriptor, const struct iovec *data, int count),
       descriptor, data, count)

int ftruncate64(int descriptor, off64_t size)
{
    REAL(ftruncate64);
    struct stat facts;
    int grows = fstat(descriptor, &facts) == 0 && size > facts.st_size;
    return (control->error != ENOSPC || grows) && file_fails(descriptor)
        ? -1 : real(descriptor, size);
}

#define SYNCS(name) int name(int descriptor) { \
    REAL(name); return control->error == EIO && file_fails(descriptor) ? -1 : real(descriptor); }
SYNCS(fsync)
SYNCS(fdatasync)

int mkdir(const char *path, mode_t mode)
{
    REAL(mkdir);
    return path_fails(path) ? -1 : real(path, mode);
}

int rename(const char *from, const char *to)
{
    REAL(rename);
    return control->error != ENOSPC && path_fails(to) ? -1 : real(from, to);
}

int unlink(const char *path)
{
    REAL(unlink);
    return control->error != ENOSPC && path_fails(path) ? -1 : real(path);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    REAL(clock_gettime);
    int result = real(clock, now);
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) now->tv_sec += control->seconds;
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    REAL(gettimeofday);
    int result = real(now, zone);
    now->tv_sec += control->seconds;
    return result;
}

time_t time(time_t *where)
{
    REAL(time);
    time_t now = real(0) + control->seconds;
    if (where) *where = now;
    return now;
}
"""


class Machine:
    """What is wrong with the machine of a server that is started with ``env``."""

    def __init__(self, folder: Path) -> None:
        compiler = shutil.which("cc")
        if compiler is None:
            pytest.skip("there is no C compiler to build the faults with")
        source, library, control = (folder / f"faults.{end}" for end in ("c", "so", "control"))
        source.write_text(_SOURCE)
        command = [compiler, "-shared", "-fPIC", "-O2", "-w", "-o", str(library), str(source)]
        subprocess.run([*command, "-ldl"], check=True)
        control.write_bytes(bytes(_LAYOUT.size))
        with control.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), _LAYOUT.size)
        self._seconds = 0
        self.env = {"LD_PRELOAD": str(library), "FAULTS_CONTROL": str(control)}

    @contextmanager
    def disk(self, error: int, folder: Path) -> Iterator[None]:
        """Nothing can be written below a folder for so long."""
        self._tell(error, folder)
        try:
            yield
        finally:
            self._tell()

    def clock(self, seconds: int) -> None:
        """The clock that people read is off by so much from now on."""
        self._seconds = seconds
        self._tell()

    def _tell(self, error: int = 0, folder: Path = Path("/")) -> None:
        self._shared[:] = _LAYOUT.pack(self._seconds, error, str(folder).encode())


__all__ = ["BROKEN", "FORBIDDEN", "FULL", "READ_ONLY", "Machine"]
