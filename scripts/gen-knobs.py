#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Write docs/knobs.md from the tables that define the knobs.

usage: gen-knobs.py [--check] ROOT

--check compares instead of writing: exit 1 if the page is not what the tables
say.
"""

import pathlib
import re
import sys

TABLES = (
    ("intel-iommu", "include/hw/i386/vtd-knobs.h"),
    ("ats-rule", "include/hw/pci/ats-rule-knobs.h"),
    ("pri-testdev", "include/hw/misc/pri-testdev-knobs.h"),
    ("pri-root-port", "include/hw/misc/pri-root-port-regs.h"),
)

HEAD = """# Knobs

Settings that a test turns while the machine runs. The same knob can be set

- on the command line: `-device {device},{name}=VALUE`
- from the host while the guest runs: `qom-set PATH {name} VALUE`
- by the guest, by its name: through the `PT_KNOB_*` registers of any pri-testdev
  (`include/hw/misc/pri-testdev-regs.h`), those of pri-root-port through its own
  (`include/hw/misc/pri-root-port-regs.h`).

A value with a name is in registers its place in the list, from 0.

This page is generated: `scripts/gen-knobs.py .` writes it from the tables that
the code is compiled from, and `./pri-lab check` fails if it is not up to date.
"""

ONES = ("UINT32_MAX", "4294967295")

# device -> table of platforms, and the names of its columns
PLATFORMS = {
    "intel-iommu": ("include/hw/i386/vtd-platform.h",
                    ("permissive", "strict", "spr")),
    "pri-testdev": ("include/hw/misc/pri-testdev-platform.h",
                    ("permissive", "strict")),
}

TEXTS = {
    "ats-rule": """
Any number of rules say what becomes of messages on the IOMMU's link, up to 64
together. The first one that matches acts; they are asked in the order of their
ids. A rule is made by `-object ats-rule,id=ID,{name}=VALUE,...` or `object-add`, and
removed by `object-del`; what it keeps continues then. Its knobs are read and turned by
`qom-get` and `qom-set` of `/objects/ID`. The guest's rules are objects with the ids
`guest-rule-00` to `guest-rule-63`, by `PT_KNOB_RULE` and `PT_RULE_REMOVE`. Rules
survive resets and are part of a snapshot; loading one removes rules that it has not.
`iommu=ID` says of which IOMMU, if there are several.
""".format(name="action"),
}

PLATFORM_TEXT = """
Property `platform` sets the defaults of these knobs, and a knob that is given on
the command line wins, whatever the order there:
"""

PLATFORM_ROW = re.compile(r"X\(([A-Z0-9_]+)((?:,\s*\d+)+)\)")

ROW = re.compile(r"""
    X\(\s*(?P<id>[A-Z0-9_]+),\s*(?P<field>\w+),\s*"(?P<name>[^"]+)",
    \s*(?P<default>\w+),\s*(?P<max>\w+),
    \s*(?P<values>ATS_KNOB_NUMBER|(?:V\(\w+,\s*"[^"]*"\)\s*)+),
    \s*(?P<help>(?:"[^"]*"\s*)+)\)
    """, re.VERBOSE)


def rows(text):
    """The rows of one table, in order."""
    text = text.replace("\\\n", "\n")
    for match in ROW.finditer(text):
        row = match.groupdict()
        row["help"] = "".join(re.findall(r'"([^"]*)"', row["help"]))
        if row["values"] == "ATS_KNOB_NUMBER":
            row["names"] = ()
            row["choice"] = "0 … " + row["max"].replace(*ONES)
            row["default"] = row["default"].replace(*ONES)
        else:
            names = re.findall(r'"([^"]*)"', row["values"])
            row["names"] = names
            row["default"] = names[int(row["default"])]
            row["choice"] = ", ".join(f"`{name}`" for name in names)
        yield row


def platforms(root, device, knobs):
    """The lines about the platforms of a device."""
    path, columns = PLATFORMS[device]
    by_id = {row["id"]: row for row in knobs}
    out = [PLATFORM_TEXT,
           "| knob | " + " | ".join(f"`{x}`" for x in columns) + " |",
           "|---" * (len(columns) + 1) + "|"]
    for name, values in PLATFORM_ROW.findall(
            pathlib.Path(root, path).read_text("utf-8")):
        row = by_id[name]
        cells = [row["default"]]
        for value in re.findall(r"\d+", values):
            cells.append(row["names"][int(value)] if row["names"] else value)
        out.append(f"| `{row['name']}` | "
                   + " | ".join(f"`{x}`" for x in cells) + " |")
    return out


def page(root):
    """The whole page."""
    out = [HEAD.format(device="intel-iommu", name="prq-hold")]
    for device, path in TABLES:
        path = pathlib.Path(root, path)
        if not path.exists():
            continue
        out.append(f"\n## {device}\n")
        if device in TEXTS:
            out.append(TEXTS[device].lstrip())
        out.append("| knob | values | default | what it does |")
        out.append("|---|---|---|---|")
        knobs = list(rows(path.read_text("utf-8")))
        for row in knobs:
            out.append(f"| `{row['name']}` | {row['choice']} | "
                       f"`{row['default']}` | {row['help']} |")
        if device in PLATFORMS:
            out += platforms(root, device, knobs)
    return "\n".join(out) + "\n"


def main(argv):
    check = "--check" in argv
    args = [arg for arg in argv if arg != "--check"]
    if len(args) != 1 or args[0] in ("-h", "--help"):
        print(__doc__.strip())
        return 0 if args and args[0] in ("-h", "--help") else 2
    target = pathlib.Path(args[0], "docs/knobs.md")
    text = page(args[0])
    if not check:
        target.write_text(text, "utf-8")
        return 0
    if not target.exists() or target.read_text("utf-8") != text:
        print(f"{target} is not what the tables say; run scripts/gen-knobs.py "
              ".", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
