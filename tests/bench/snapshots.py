"""Writes two snapshots of a machine with many packages: snapshots.py SNAPSHOT PACKAGES FOLDER.

SNAPSHOT is any snapshot; its packages are replaced by PACKAGES of them. In the second file every tenth package has
another version, a variable and the number of threads differ, and so does the processor's name.
"""

import re
import sys

source, count, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
text = open(source).read()
# The digests are not looked at by `diff`; the table of packages goes, whatever form it has.
text = re.sub(r"(?ms)^\[python\.packages[^\n]*\]\n.*?(?=^\[(?!python\.packages))", "", text)


def packages(step):
    lines = ["[python.packages]"]
    for i in range(count):
        version = f"{1 + i % 4}.{i % 17}.{step if i % 10 == 0 else 0}"
        record = f"{i * 7919 + (step if i % 10 == 0 else 0):064x}"
        lines.append(
            f'package-{i:03} = {{ version = "{version}", installer = "uv", record = "sha256:{record}", tag = ["py3-none-any"] }}'
        )
    return "\n".join(lines) + "\n\n"


def snapshot(step):
    out = text
    if step:
        out = out.replace("[cpu.threads]\n", "[cpu.threads]\ntorch = 3\n" if "\ntorch = " not in out else "[cpu.threads]\n", 1)
        out = re.sub(r"(?m)^torch = \d+$", "torch = 3", out)
        out = re.sub(r'(?m)^model = ".*"$', 'model = "Another Processor"', out, count=1)
        out = re.sub(r"(?m)^\[env\]$", '[env]\nOMP_NUM_THREADS = "3"', out, count=1) if "\nOMP_NUM_THREADS" not in out else out
    at = out.index("[env]") if "[env]" in out else out.index("[git]")
    return out[:at] + packages(step) + out[at:]


for name, step in (("a", 0), ("b", 1)):
    with open(f"{folder}/{name}.lock", "w") as f:
        f.write(snapshot(step))
