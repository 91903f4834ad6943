"""Ends a rig's programs when the process that started them is gone, however it went.

Run as a program: `python keeper.py FOLDER`, as the leader of a process group that all programs of the
rig join. Its standard input is a pipe that only the owner holds open. When the pipe ends, the owner
is dead: a child of the keeper, in a session of its own, kills the group with the keeper in it and removes the
folder, so that a killed test run leaves neither processes nor files.

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
    child = os.fork()
    if child:
        os.waitpid(child, 0)  # until the signal comes that ends the group
        return
    os.setsid()
    os.killpg(group, signal.SIGKILL)
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            break
        time.sleep(0.05)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
