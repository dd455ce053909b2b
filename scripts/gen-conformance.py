#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Write docs/conformance.md from the results of the last `./pri-lab check`.

usage: gen-conformance.py ROOT TESTLOG...

TESTLOG is meson's testlog.json (`./pri-lab check` prints where it is).  A test
belongs to each item whose ID is a component of its name, as in
/vtd/prq/PRQ-43/last-dropped-on-full.
"""

import collections
import os
import pathlib
import re
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)

from pri_lab.check import check  # noqa: E402

HEAD = """# Conformance

One line an item of the checklist: the rule in a few words, the tests that fail
when it is broken, and how they ended. Generated from a test run:

    ./pri-lab check
    ./pri-lab conformance

Items without a test say why.
"""

def items(root):
    """Lines of the checklist: headings, and "ID | rule | why no test"."""
    return [line for line in pathlib.Path(
        root, "docs/conformance-items.txt").read_text("utf-8").splitlines()
        if line.startswith("## ") or line and not line.startswith("#")]


def ids(lines):
    """What an ID looks like: the families are those of the checklist."""
    families = {line.split("-")[0] for line in lines
                if not line.startswith("#")}
    return re.compile(rf"(?:{'|'.join(sorted(families))})-\d+")


def results(root, logs):
    """ID -> list of (test name, result)."""
    pattern = ids(items(root))
    found = collections.defaultdict(list)
    for log in logs:
        for verdict in check.read_log(log):
            for result in verdict.results:
                name = re.sub(r"^/x86_64(?=/)", "", result.name)
                for item in sorted(set(pattern.findall(name))):
                    found[item].append((name, result.status))
    return found


MANY = 12       # tests of an item; if there are more, groups are named


def cell(tests, item):
    """Names of an item's tests, short: what follows the ID."""
    names = [name.split(item, 1)[1].strip("/-") or name for name, _ in tests]
    if len(names) <= MANY:
        return ", ".join(f"`{name}`" for name in names)
    groups = collections.Counter(name.split("/")[0] for name in names)
    return ", ".join(f"`{name}`" + (f" ({n})" if n > 1 else "")
                     for name, n in groups.items())


def outcome(tests):
    count = collections.Counter(status for _, status in tests)
    return ", ".join(f"{count[status]} {status.lower()}"
                     for status in sorted(count, reverse=True))


def page(root, found):
    out = [HEAD]
    tested = missing = 0
    for line in items(root):
        if line.startswith("## "):
            out += ["", line, "", "| item | rule | tests | result |",
                    "|---|---|---|---|"]
        else:
            item, rule, *why = [part.strip() for part in line.split("|")]
            tests = found.get(item, [])
            if tests:
                tested += 1
                out.append(f"| {item} | {rule} | {cell(tests, item)} | "
                           f"{outcome(tests)} |")
            else:
                missing += 1
                out.append(f"| {item} | {rule} | – | "
                           f"{why[0] if why else 'no test yet'} |")
    out.insert(1, f"\n{tested} items have tests, {missing} "
                  f"{'has' if missing == 1 else 'have'} none.")
    return "\n".join(out) + "\n"


def main(argv):
    if len(argv) < 2 or argv[0] in ("-h", "--help"):
        print(__doc__.strip())
        return 0 if argv and argv[0] in ("-h", "--help") else 2
    target = pathlib.Path(argv[0], "docs/conformance.md")
    target.write_text(page(argv[0], results(argv[0], argv[1:])), "utf-8")
    print(f"wrote {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
