# The self-test in the user's own interpreter: what every library's catalogue shares. driftlock joins this file, the
# library's own files and main.py to one program and starts it with the request (JSON) as its argument. The answer is
# JSON lines on standard output. docs/reference/selftest/protocol.md describes both.
import sys

sys.path[:] = [entry for entry in sys.path if entry != ""]  # a file in the working directory is no library

import ctypes
import hashlib
import json
import os
import time

# Whatever a library prints goes to standard error: standard output belongs to the protocol.
_answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)

MASK = 0xFFFFFFFF
GOLDEN = 0x9E3779B9


def say(line, **fields):
    """One line of the protocol."""
    fields = dict({"line": line}, **fields)
    _answers.write(json.dumps(fields) + "\n")
    _answers.flush()


def leaf(name, tag, dims, data):
    """The digest of one output: its name, dtype, shape and bytes (row-major, little-endian, NaN canonical)."""
    head = "driftlock/leaf/1\n%s\n%s\n%s\n" % (name, tag, ",".join(str(d) for d in dims))
    digest = hashlib.sha256(head.encode())
    digest.update(data)
    return digest.digest()


def operation_digest(id, leaves):
    """The digest of an operation: of its outputs' digests in order."""
    digest = hashlib.sha256(("driftlock/op/1\n%s\n%d\n" % (id, len(leaves))).encode())
    for part in leaves:
        digest.update(part)
    return digest.digest()


def dyadic_bits(dtype):
    """How many bits below the leading one the inputs of a dtype have: exact in it, and in everything wider."""
    return {"f16": 10, "bf16": 7}.get(dtype, 23)


class Operations:
    """The operations of one library by id, in the order of their definition."""

    def __init__(self):
        self.by_id = {}

    def __call__(self, id, dtype="f32"):
        """Decorates the function that computes operation `id`: context to outputs by name, in order."""

        def register(function):
            self.by_id[id] = (dtype, function)
            return function

        return register


operation = Operations()
