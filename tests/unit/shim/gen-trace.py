#!/usr/bin/env python3
# Make a trace.h of empty functions from a trace-events fragment.  The format
# strings are kept, so that the compiler checks them against the arguments.
#
# usage: gen-trace.py TRACE-EVENTS OUTPUT
#
# SPDX-License-Identifier: GPL-2.0-or-later

import re
import sys

EVENT = re.compile(r'(\w+)\((.*?)\) (".*)')


def main(source, output):
    out = ['/* Generated from %s */' % source.rsplit('/', 1)[-1]]
    with open(source) as events:
        for line in events:
            line = line.strip()
            if not line or line.startswith('#'):
                continue
            match = EVENT.fullmatch(line)
            if not match:
                sys.exit('%s: not an event: %s' % (source, line))
            name, args, fmt = match.groups()
            names = [re.search(r'\w+$', a).group() for a in args.split(',')]
            out.append('static inline void trace_%s(%s)\n{\n'
                       '    if (0) {\n        printf(%s, %s);\n    }\n}'
                       % (name, args, fmt, ', '.join(names)))
    with open(output, 'w') as header:
        header.write('\n'.join(out) + '\n')


if __name__ == '__main__':
    main(*sys.argv[1:])
