"""Ends a rig's programs when the process that started them is gone, however it went.

Run as a program: `python keeper.py FOLDER`, as the leader of a process group that all programs of the
rig join. Its standard input is a pipe that only the owner holds open. When the pipe ends, the owner
is dead: the keeper kills the group, and itself with it. A child in a session of its own waits for that and
removes the folder, so that a killed test run leaves neither processes nor files.

It imports nothing of ours: it has to start at once and to outlive everything.
"""

import os
import shutil
import signal
import sys
import time


def main(folder: str) -> None:
    """Wait for the end of the pipe, then clean up."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    os.read(0, 1)
    group = os.getpgrp()
    if os.fork() == 0:
        os.setsid()
        for _ in range(100):
            try:
                os.killpg(group, 0)
            except ProcessLookupError:
                break
            time.sleep(0.05)
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)
    os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1])
