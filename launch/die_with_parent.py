"""Become another program that cannot outlive its parent.

Called as `python -I -S die_with_parent.py SIGNAL PARENT UID PROGRAM …`.

A script of its own, run between fork and exec, because prctl's setting is lost whenever a process changes its
user or namespace, and because code between fork and exec (preexec_fn) is unsafe. Linux only; elsewhere the
program simply starts, and pid files do the work.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
KEEP_USER = -1


def main(signal_number: int, parent: int, uid: int, program: list[str]) -> None:
    """Replace this process by `program`, as `uid` unless KEEP_USER. Ends with 1 when the parent is gone."""
    if uid != KEEP_USER:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent:  # died before the signal was armed
        sys.exit(1)
    os.execvpe(program[0], program, os.environ)  # noqa: S606 (a launcher's work; no shell involved)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
