"""Linux namespaces and mounts by way of the C library: what the throwaway root is shut in with."""

from __future__ import annotations

import ctypes
import os
import resource
from pathlib import Path

NOBODY = 65534
NEW_MOUNTS, NEW_PIDS, NEW_USER = 0x20000, 0x20000000, 0x10000000
NEW_NET, NEW_IPC, NEW_UTS = 0x40000000, 0x08000000, 0x04000000
_READ_ONLY, _NO_SUID, _NO_DEVICES, _REMOUNT, _BIND = 1, 2, 4, 32, 4096
_RECURSIVE, _PRIVATE = 16384, 1 << 18
_DETACH = 2
_NO_NEW_PRIVILEGES = 38
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "riscv64": 41}

_libc = ctypes.CDLL(None, use_errno=True)


def _done(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Leaves the namespaces in `flags` for new ones.

    Raises:
        OSError: Where the kernel does not let this user.
    """
    _done(_libc.unshare(flags), "unshare")


def enter() -> None:
    """Goes into namespaces of its own, as root's or, for anybody else, as those of a user called nobody.

    Raises:
        OSError: Where the kernel does not let this user.
    """
    user, group = os.geteuid(), os.getegid()
    unshare(NEW_MOUNTS | NEW_PIDS | NEW_NET | NEW_IPC | NEW_UTS | (NEW_USER if user else 0))
    if user:
        Path("/proc/self/setgroups").write_text("deny", "ascii")
        Path("/proc/self/uid_map").write_text(f"{NOBODY} {user} 1", "ascii")
        Path("/proc/self/gid_map").write_text(f"{NOBODY} {group} 1", "ascii")
    _mount("none", "/", None, _RECURSIVE | _PRIVATE)


def _mount(source: str, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    words = [None if word is None else word.encode() for word in (source, target, kind)]
    _done(_libc.mount(*words, flags, None if options is None else options.encode()), f"mount {target}")


def memory(target: str, size: str, mode: str = "755") -> None:
    """Mounts an empty file system in memory."""
    _mount("none", target, "tmpfs", _NO_SUID | _NO_DEVICES, f"size={size},mode={mode}")


def processes(target: str) -> None:
    """Mounts /proc of this process's own namespace, where the kernel lets it."""
    try:
        _mount("none", target, "proc", _NO_SUID | _NO_DEVICES)
    except PermissionError:
        return  # inside of some containers: process substitution has no /dev/fd then


def bind(source: str, target: str) -> None:
    """Shows one file or device of the host."""
    _mount(source, target, None, _BIND)


def seal() -> None:
    """Makes the root read-only, as it is."""
    _mount("none", "/", None, _REMOUNT | _READ_ONLY | _NO_SUID | _NO_DEVICES)


def pivot(root: str) -> None:
    """Makes `root` the root, and the old one go."""
    old = f"{root}/old"
    Path(old).mkdir()
    number = _PIVOT_ROOT[os.uname().machine]
    _done(_libc.syscall(number, root.encode(), old.encode()), "pivot_root")
    os.chdir("/")
    _done(_libc.umount2(b"/old", _DETACH), "umount")
    Path("/old").rmdir()


def confine(seconds: int, processes: int, memory_bytes: int, file_bytes: int) -> None:
    """Limits this process and gives up every privilege, for good."""
    limits = {
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_NPROC: processes,
        resource.RLIMIT_AS: memory_bytes,
        resource.RLIMIT_FSIZE: file_bytes,
        resource.RLIMIT_NOFILE: 256,
        resource.RLIMIT_CORE: 0,
    }
    for kind, limit in limits.items():
        resource.setrlimit(kind, (limit, limit))
    _done(_libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0), "prctl")
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
