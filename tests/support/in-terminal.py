"""Runs a command on a terminal of its own and prints how it ended.

When the screen shows a text, it types another; without one to type, it takes the terminal away.
"""
import json
import os
import pty
import sys

awaited, typed, *command = sys.argv[1:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
screen = b""
was_shown = False
while True:
    try:
        piece = os.read(terminal, 4096)
    except OSError:
        break
    if not piece:
        break
    screen += piece
    if not was_shown and awaited.encode() in screen:
        was_shown = True
        if not typed:
            os.close(terminal)
            break
        os.write(terminal, typed.encode())
_, status = os.waitpid(pid, 0)
print(json.dumps({"exit": os.waitstatus_to_exitcode(status), "shown": was_shown, "screen": screen.decode(errors="replace")}))
