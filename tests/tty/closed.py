"""Runs a command in a terminal that is closed once something is on it.

    closed.py heeds|ignores TEXT PROGRAM ARGUMENTS…

prints `closed`, then the exit code (negative: the signal), or `lives on` where a line on stdin comes first. With `ignores`,
the command is started so that it passes SIGHUP over, as nohup does it.
"""

import os
import pty
import select
import signal
import sys
import time

manner, text, *command = sys.argv[1:]
end = time.monotonic() + 60
child, terminal = pty.fork()
if child == 0:
    signal.signal(signal.SIGHUP, signal.SIG_IGN if manner == "ignores" else signal.SIG_DFL)
    os.execv(command[0], command)


def kill(why):
    os.kill(child, signal.SIGKILL)
    sys.exit(why)


seen = b""
while text.encode() not in seen:
    if not select.select([terminal], [], [], max(0, end - time.monotonic()))[0]:
        kill(f"never saw {text!r}: {seen!r}")
    try:
        seen += os.read(terminal, 65536)
    except OSError:
        kill(f"it ended: {seen!r}")
os.close(terminal)
print("closed", flush=True)
while time.monotonic() < end:
    ended, status = os.waitpid(child, os.WNOHANG)
    if ended:
        print(os.waitstatus_to_exitcode(status))
        sys.exit()
    if select.select([sys.stdin], [], [], 0.01)[0] and sys.stdin.readline():
        print("lives on")
        kill(0)
kill("it lives on, and nobody asked it to")
