"""Run a command as nobody when we are root, because PostgreSQL refuses to run as root.

Run as a script (`python -I as_nobody.py MODE COMMAND…`), so that it costs no imports. Two ways:
`namespace`: a user namespace where the outer root is called nobody: no folder changes hands.
`ambient`: for machines that refuse such namespaces (most containers): really nobody, who keeps
the right to pass through folders that are closed to others.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

NOBODY = 65534
CLONE_NEWUSER = 0x10000000
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522

libc = ctypes.CDLL(None, use_errno=True)


def enter_namespace() -> None:
    """Become nobody inside; outside, files still belong to whoever started us."""
    uid, gid = os.getuid(), os.getgid()
    check(libc.unshare(CLONE_NEWUSER), "unshare")
    Path("/proc/self/uid_map").write_text(f"{NOBODY} {uid} 1")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/gid_map").write_text(f"{NOBODY} {gid} 1")


def drop_to_nobody() -> None:
    """Become nobody for good, and keep only the right to override file permissions."""
    bit = 1 << CAP_DAC_OVERRIDE
    check(libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "prctl keepcaps")
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    # effective, permitted, inheritable for capabilities 0-31, then the same for 32-63
    data = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
    check(libc.capset(header, data), "capset")
    check(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0), "prctl ambient")


def check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


if __name__ == "__main__":
    try:
        {"namespace": enter_namespace, "ambient": drop_to_nobody}[sys.argv[1]]()
    except OSError as error:
        sys.exit(f"as_nobody: {error}")
    os.execv(sys.argv[2], sys.argv[2:])
