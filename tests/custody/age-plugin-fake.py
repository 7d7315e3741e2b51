#!/usr/bin/env python3
"""A plugin of age that hides nothing: its stanza has the file key as it is."""
import base64
import sys


def encoded(octets):
    return base64.b64encode(octets).decode().rstrip("=")


def decoded(text):
    return base64.b64decode(text + "=" * (-len(text) % 4))


def read():
    words = sys.stdin.readline().split()
    body = ""
    while True:
        line = sys.stdin.readline().rstrip("\n")
        body += line
        if len(line) < 64:
            return words[1:], decoded(body)


def write(words, body=b""):
    text = encoded(body)
    lines = [text[at:at + 64] for at in range(0, len(text), 64)]
    if not lines or len(lines[-1]) == 64:
        lines.append("")
    sys.stdout.write("-> " + " ".join(words) + "\n" + "\n".join(lines) + "\n")
    sys.stdout.flush()


machine = sys.argv[1].split("=")[1]
commands = []
while True:
    words, body = read()
    if words[0] == "done":
        break
    commands.append((words, body))
if machine == "recipient-v1":
    key = [body for words, body in commands if words[0] == "wrap-file-key"][0]
    write(["recipient-stanza", "0", "fake"], key)
else:
    for words, body in commands:
        if words[0] == "recipient-stanza" and words[2] == "fake":
            write(["msg"], b"the fake token is touched")
            read()
            write(["file-key", "0"], body)
            break
    else:
        write(["error", "internal"], b"nothing of it is for this token")
read()
write(["done"])
