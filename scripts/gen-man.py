#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Write docs/manual/pri-lab.1 from the command line of pri-lab.

gen-man.py [--check] REPOSITORY

--check: write nothing; exit status 1 if the page is not what it would be.
"""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from pri_lab import cli  # noqa: E402
from pri_lab.dist import manpage  # noqa: E402


def main(argv):
    check = '--check' in argv
    args = [a for a in argv if a != '--check']
    if len(args) != 1 or args[0].startswith('-'):
        print(__doc__.strip())
        return 0 if args and args[0] in ('-h', '--help') else 2
    path = os.path.join(args[0], manpage.PAGE)
    text = manpage.text(cli.parser())
    if not check:
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)
        return 0
    with open(path, encoding='utf-8') as f:
        if f.read() == text:
            return 0
    print(f'{path} is not what the command line says; run '
          'scripts/gen-man.py .', file=sys.stderr)
    return 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
