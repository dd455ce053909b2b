#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Keep the pages of docs/specs and the tables of registers the same.

usage: gen-registers.py [--check] ROOT

Of pri-testdev.rst it writes the table of counters from PT_COUNTERS, and says
where a heading of a register (offset, access, width, name) is not what
PT_FUNCTION_REGS and PT_CHANNEL_REGS say, or is missing.  Of pri-root-port.rst
it writes the registers, from PRP_VSEC_REGS.  --check writes nothing: exit 1 if
a page is not up to date.
"""

import pathlib
import re
import sys
import textwrap

HEADER = "include/hw/misc/pri-testdev-regs.h"
PAGE = "docs/specs/pri-testdev.rst"
PORT_HEADER = "include/hw/misc/pri-root-port-regs.h"
PORT_PAGE = "docs/specs/pri-root-port.rst"

REGISTER = re.compile(r"""
    X\(\s*(?P<name>\w+),\s*(?P<offset>0x[0-9a-f]+),\s*(?P<bits>32|64),
    \s*(?P<access>RO|RW|WO|W1C),\s*(?:"[^"]*"\s*)+\)""", re.VERBOSE)
COUNTER = re.compile(r"""
    X\(\s*(?P<name>\w+),\s*(?P<offset>0x[0-9a-f]+),\s*\w+,\s*\w+,
    \s*(?P<text>(?:"[^"]*"\s*)+)\)""", re.VERBOSE)
PORT_REGISTER = re.compile(r"""
    X\(\s*(?P<name>\w+),\s*(?P<offset>0x[0-9a-f]+),
    \s*(?P<access>CONST|RO|RW),\s*(?P<text>(?:"[^"]*"\s*)+)\)""", re.VERBOSE)
PORT_LIST = re.compile(r"(?:^0x[0-9a-f]+ \(\w+\) : ``PRP_VSEC_\w+``\n"
                       r"(?:    .*\n)*\n)+", re.MULTILINE)
HEADING = re.compile(r"""
    (?P<offset>0x[0-9a-f]+)[ ]\((?P<access>RO|RW|WO|W1C)
    (?P<wide>,[ ]64[ ]bits)?\)[ ]:[ ]``PT_(?P<name>\w+)``""", re.VERBOSE)

RULE = "======  ===========================  " + "=" * 42
FIRST = f"{RULE}\noffset  name                         what it counts\n{RULE}\n"


def table(text, name):
    """The rows of one X-macro."""
    start = text.index(f"#define {name}(X)")
    end = re.search(r"[^\\]\n", text[start:]).end() + start
    return text[start:end].replace("\\\n", "\n")


def counters(text):
    """The table of counters, as the page has it."""
    out = [FIRST]
    for row in COUNTER.finditer(table(text, "PT_COUNTERS")):
        words = "".join(re.findall(r'"([^"]*)"', row["text"]))
        lines = textwrap.wrap(words, 42)
        name = f"``PT_CNT_{row['name']}``"
        out.append(f"{row['offset']:6}  {name:27}  {lines[0]}\n")
        out += [" " * 37 + line + "\n" for line in lines[1:]]
    return "".join(out) + RULE + "\n"


def page(text, rst):
    """The page with the table of counters that it should have."""
    start = rst.index(FIRST)
    end = rst.index(RULE + "\n", start + len(FIRST)) + len(RULE) + 1
    return rst[:start] + counters(text) + rst[end:]


def port_page(text, rst):
    """The page of the port with the registers that it should have."""
    out = ""
    for row in PORT_REGISTER.finditer(table(text, "PRP_VSEC_REGS")):
        words = "".join(re.findall(r'"([^"]*)"', row["text"]))
        access = row["access"].replace("CONST", "RO")
        lines = textwrap.wrap(words, 78, break_on_hyphens=False)
        out += (f"{row['offset']} ({access}) : ``PRP_VSEC_{row['name']}``\n"
                + "".join(f"    {line}\n" for line in lines) + "\n")
    return PORT_LIST.sub(lambda _: out, rst, count=1)


def complaints(text, rst):
    """What the headings of registers say that the tables do not."""
    said = {m["name"]: (m["offset"], m["access"], "64" if m["wide"] else "32")
            for m in HEADING.finditer(rst)}
    out = []
    for name in ("PT_FUNCTION_REGS", "PT_CHANNEL_REGS"):
        for row in REGISTER.finditer(table(text, name)):
            is_so = (row["offset"], row["access"], row["bits"])
            says = said.pop(row["name"], None)
            if says != is_so:
                out.append(f"PT_{row['name']} is {' '.join(is_so)} bits; the "
                           f"page says {' '.join(says or ('nothing',))}")
    return out + [f"PT_{name} is on the page and in no table" for name in said]


def main(argv):
    check = "--check" in argv
    args = [arg for arg in argv if arg != "--check"]
    if len(args) != 1 or args[0] in ("-h", "--help"):
        print(__doc__.strip())
        return 0 if args and args[0] in ("-h", "--help") else 2
    wrong = []
    for header, where, make in ((HEADER, PAGE, page),
                                (PORT_HEADER, PORT_PAGE, port_page)):
        text = pathlib.Path(args[0], header).read_text("utf-8")
        target = pathlib.Path(args[0], where)
        rst = target.read_text("utf-8")
        if where == PAGE:
            wrong += [f"{where}: {x}" for x in complaints(text, rst)]
        new = make(text, rst)
        if new != rst and check:
            wrong.append(f"{where} is old; run scripts/gen-registers.py .")
        elif new != rst:
            target.write_text(new, "utf-8")
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
