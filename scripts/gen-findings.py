#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Write docs/findings/README.md, the list of the pages beside it.

usage: gen-findings.py [--check] ROOT

Of each page: its title, the kernels that it was run on (the first sentence of
**Kernel**, or the table's row), its mail, and its trial fixes, which are patches
of guest/kernel/bugs.  --check writes nothing: exit 1 if the
list is old, or if a mail belongs to no page.
"""

import pathlib
import re
import sys

PLACE = "docs/findings"
BUGS = "guest/kernel/bugs"
HEAD = """\
# Bugs of Linux that were found

Written by `scripts/gen-findings.py .` from the pages here. *Seen on* is where it was run; what a page says by
reading is left out. *Mail* is a text to send, *fix* a trial fix, which `--kernel 7.3+NAME` applies.
[known-signs](known-signs) is what `explore` takes for one of these, [known-resets](known-resets) what `resets` does.

| finding | seen on | mail | fix |
|---|---|---|---|
"""
KERNEL = re.compile(r"^(?:\*\*Kernel\*\*:|\| Kernel \|)(.*?)"
                    r"(?:By reading|No fix|\n\n|\|$)", re.DOTALL | re.MULTILINE)
VERSION = re.compile(r"\b\d\.\d+\.\d+\b")
FIX = re.compile(r"[\w-]+-fix\b")
FIX_PATH = re.compile(r"bugs/([\w-]+-fix)\b")
MAIL = re.compile(r"\(mail/([\w.-]+)\)")


def fixes(page: pathlib.Path, text: str, patches: set) -> list:
    """Patches that it names by their path; if none, those of its own name; if
    none, those of its commands.  Others are there to tell it from another bug."""
    name = f"{page.stem} {text.splitlines()[0]}"
    commands = "\n".join(x for x in text.splitlines() if x.startswith("    ./"))
    return next((x for x in (
        _known(FIX_PATH.findall(text), patches),
        [x for x in _known(FIX.findall(text), patches)
         if x.removesuffix("-fix") in name],
        _known(FIX.findall(commands), patches)) if x), [])


def _known(names: list, patches: set) -> list:
    return [x for x in dict.fromkeys(names) if x in patches]


def row(page: pathlib.Path, patches: set) -> str:
    text = page.read_text(encoding="utf-8")
    title = text.splitlines()[0].removeprefix("# ")
    m = KERNEL.search(text)
    kernels = list(dict.fromkeys(VERSION.findall(m.group(1) if m else "")))
    mails = list(dict.fromkeys(MAIL.findall(text)))
    return " | ".join([
        f"| [{title}]({page.name})", ", ".join(kernels),
        " ".join(f"[mail](mail/{x})" for x in mails),
        ", ".join(f"`{x}`" for x in fixes(page, text, patches))]) + " |"


def pages(top: pathlib.Path) -> list:
    return [p for p in sorted(top.glob("*.md")) if p.name != "README.md"]


def lost_mails(top: pathlib.Path) -> list:
    named = {x for p in pages(top)
             for x in MAIL.findall(p.read_text(encoding="utf-8"))}
    return sorted(p.name for p in (top / "mail").iterdir()
                  if p.name not in named)


def written(root: pathlib.Path) -> str:
    patches = {p.stem for p in (root / BUGS).glob("*.patch")}
    return HEAD + "".join(f"{row(p, patches)}\n" for p in pages(root / PLACE))


def main() -> int:
    args = sys.argv[1:]
    check = "--check" in args
    if check:
        args.remove("--check")
    if len(args) != 1:
        print(__doc__.strip().split("\n\n")[1], file=sys.stderr)
        return 2
    root = pathlib.Path(args[0])
    wrong = [f"{PLACE}/mail/{x}: no page has it" for x in
             lost_mails(root / PLACE)]
    path, text = root / PLACE / "README.md", written(root)
    if not check:
        path.write_text(text, encoding="utf-8")
    elif not path.exists() or path.read_text(encoding="utf-8") != text:
        wrong.append(f"{path} is old; run scripts/gen-findings.py .")
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
