"""Runs a command on a terminal of its own, types a text when the screen shows another, and prints how it ended."""
import json
import os
import pty
import sys

shown, typed, *command = sys.argv[1:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
screen = b""
answered = False
while True:
    try:
        piece = os.read(terminal, 4096)
    except OSError:
        break
    if not piece:
        break
    screen += piece
    if not answered and shown.encode() in screen:
        os.write(terminal, typed.encode())
        answered = True
_, status = os.waitpid(pid, 0)
print(json.dumps({"exit": os.waitstatus_to_exitcode(status), "answered": answered, "screen": screen.decode()}))
