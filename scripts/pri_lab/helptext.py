# SPDX-License-Identifier: GPL-2.0-or-later
"""What the help says of each command, and which options it takes."""

from __future__ import annotations

import textwrap

from .core.errors import STATUSES

SUMMARY = '''\
A QEMU whose VT-d page requests and ATS/PRI test device behave as the
specifications say, with a real Linux guest on top.'''

EXAMPLES = '''\
examples:
  ./pri-lab run                       the main job, everything built on the way
  ./pri-lab check                     all tests
  ./pri-lab check unit qtest          some suites
  ./pri-lab run --kernel ~/linux      the main job on a kernel of your own
  ./pri-lab shell                     a shell in the guest
  ./pri-lab qemu -trace 'vtd_prq*'    the machine, with your own QEMU options

The cache is $XDG_CACHE_HOME/pri-lab (default ~/.cache/pri-lab); nothing is
written outside it, but the files that you name and, by the commands that write
pages, the repository.

exit status:
''' + '\n'.join(
    textwrap.fill(f'{n:3}  {why}', 76, initial_indent='  ',
                  subsequent_indent='       ')
    for n, why in STATUSES.items())

# command -> (one line, long text, examples)
COMMANDS = {
    'run': ('run a job in a guest, building what is missing',
            'Boots the guest and runs JOB, a program of tests/guest (default:'
            ' sva-basic; all: every program).  Prints its KTAP, a table and '
            'PASS or FAIL.',
            '  ./pri-lab run\n  ./pri-lab run all --kernel ~/linux\n'
            '  ./pri-lab run sva-basic --args write,read -v\n'
            '  ./pri-lab run --trace \'vtd_prq*\' --trace \'ats_*\'\n'
            '  ./pri-lab run --gdb'),
    'check': ('run all tests, or the suites and tests named',
              'Suites: style, unit, qtest, upstream (QEMU\'s own VT-d test), guest, '
              'frontend, docs.  Prints TAP and, last, `N passed, N failed, '
              'N skipped`.  With a list of\nkernels (--kernel all, or names '
              'with commas) the guest\'s programs, or those named,\nrun on '
              'each of them, and a table says what each kernel did with each '
              'test.',
              '  ./pri-lab check\n  ./pri-lab check unit qtest\n'
              '  ./pri-lab check --sanitize\n'
              '  ./pri-lab check --kernel all\n'
              '  ./pri-lab check --kernel 6.12,7.3 sva-basic\n'
              '  ./pri-lab check --kernel all --config '
              'guest/kernel/plain.config'),
    'repro': ('reproduce a known race, or list them',
              'Without a name: lists the races of tests/guest/races.  With '
              'names (or --all):\nruns each from one snapshot taken before '
              'the race, and from cold boots, and\nsays REPRODUCED, NOT '
              'REPRODUCED or CANNOT RUN (why).  --kernel takes what it\n'
              'takes elsewhere, and +PATCH of guest/kernel/bugs after it; '
              'several with commas.\nDefault: a kernel that has the race.  '
              'Exit status 0: all runs alike, and as\nexpected of the '
              'kernel.',
              '  ./pri-lab repro\n  ./pri-lab repro O-H\n'
              '  ./pri-lab repro O-H --runs 100 --cold 5\n'
              '  ./pri-lab repro C-18 --kernel 7.3,7.3+C-18\n'
              '  ./pri-lab repro --all --kernel 6.18 --config '
              'guest/kernel/plain.config\n'
              '  ./pri-lab repro O-H --record\n'
              '  ./pri-lab repro FILE.hit --kernel 7.3,7.2\n'
              '  ./pri-lab repro --all --runs 100 --cold 5 --table'),
    'explore': ('look for races that nobody has worked out',
                'Without a name: lists tests/guest/scenarios, plain work of a '
                'few tasks without an\norder.  Boots a scenario once, up to '
                'the point before its tasks begin, and runs it\nfrom there '
                'under one plan after another: which processor runs, where '
                'another one\nis let in, what the device keeps back.  Ends '
                'when nothing new is covered, or at\n--budget or --runs.  '
                'Whatever is wrong and not written up is a hit: it is shrunk,'
                '\nreplayed, printed and kept for `repro FILE`.  Exit status '
                '0: no hit.  Of a scenario\nof steps it runs every order of '
                '--depth steps instead.',
                '  ./pri-lab explore\n'
                '  ./pri-lab explore unbind-faults --budget 10\n'
                '  ./pri-lab explore --all --budget 480 --resume\n'
                '  ./pri-lab explore two-drains --kernel 7.3,7.3+O-B-fix '
                '--seed 7\n'
                "  ./pri-lab explore queue-close --plan 'order=3210 "
                "at=1:2'\n"
                '  ./pri-lab explore --report\n'
                '  ./pri-lab explore groups --depth 3 --kernel 7.3+C-18'),
    'build': ('fetch, patch and build QEMU',
              'Prints the path of the binary.',
              '  ./pri-lab build\n  ./pri-lab build --sanitize\n'
              '  ./pri-lab build --qemu-src ~/qemu-10.2.2.tar.xz'),
    'kernel': ('list the guest kernels, or fetch and build one',
               'list shows the kernels of guest/kernel/matrix and which are '
               'built; build makes\none of them, or the source tree in a '
               'directory, with guest/kernel/base.config and\nthe fragments '
               'of --config on top, and prints the path of the image, which '
               '--kernel\ntakes.  Without either it is the default kernel, '
               'or checks the one of --kernel.  report writes docs/kernels.md '
               'from the last\n`check --kernel all`.',
               '  ./pri-lab kernel list\n  ./pri-lab kernel build 6.12\n'
               '  ./pri-lab kernel build ~/linux --config my.config\n'
               '  ./pri-lab run --kernel 6.12'),
    'qemu': ('run our QEMU with the machine set up and your arguments',
             'Arguments after the first that is not an option of pri-lab (or '
             'after --) go to QEMU.  The console is on the terminal unless '
             'your arguments take it.',
             '  ./pri-lab qemu -device pri-testdev,help\n'
             '  ./pri-lab qemu -S -s\n'
             '  ./pri-lab qemu --job sva-basic -trace \'vtd_prq*\''),
    'shell': ('drop into a shell in the guest',
              'The driver is loaded, the programs are in /tests.',
              '  ./pri-lab shell\n  ./pri-lab shell --append slub_debug=FZP'),
    'packages': ('install what the host needs, and nothing else',
                 'As root; otherwise says the command.',
                 '  ./pri-lab packages'),
    'bench': ('compare the speed with stock QEMU, side by side',
              'Builds a stock QEMU of the same source with the same options '
              'and a plain\nguest kernel the first time.  Reports; a slow '
              'result is no failure.  Best on a\nquiet machine; '
              'docs/performance.md says what is measured.  PART: iq, disk, '
              'prq, functions,\nfaults; without one all of them.  boots, by '
              'itself: boots the guest --runs times\nbeside --load busy '
              'loops, and says how many boots failed or measured a '
              'frequency;\nthat one is judged.',
              '  ./pri-lab bench\n  ./pri-lab bench --rounds 30 faults\n'
              '  ./pri-lab bench boots --runs 100 --load 14 -j 10\n'
              '  ./pri-lab bench boots --resume'),
    'timeline': ('draw a recorded run as a message sequence chart',
                 'LOG is what `run --record` wrote, or a log of QEMU made '
                 'with -msg vclock=on.\nWrites one page that needs nothing '
                 'else; with --text prints columns.  With values\nof '
                 'PASID, PRGI and so on: those events, and the rest of their '
                 'exchanges.',
                 '  ./pri-lab run reset --args in-flight --record\n'
                 '  ./pri-lab timeline LOG -o race.html\n'
                 '  ./pri-lab timeline LOG --text --pasid 1 --prgi 5'),
    'conformance': ('write docs/conformance.md from the last complete check',
                    'One line an item of the checklist, with its tests and '
                    'how they ended.',
                    '  ./pri-lab check && ./pri-lab conformance'),
    'package': ('build a Debian package',
                'It stands beside the distribution\'s QEMU: everything is in '
                '/usr/lib/pri-lab,\n/usr/bin gets pri-lab and '
                'qemu-system-x86_64-pri-lab.  Prints the path of the\n.deb, '
                'which is for the release it was built on.',
                '  ./pri-lab package\n  ./pri-lab package --output /tmp'),
    'completion': ('print a completion script for the shell',
                   'Bash: . <(./pri-lab completion bash).  Zsh: source '
                   '<(./pri-lab completion zsh),\nor save it as _pri-lab in '
                   'a directory of $fpath.',
                   '  ./pri-lab completion bash > '
                   '/etc/bash_completion.d/pri-lab\n'
                   '  ./pri-lab completion zsh > ~/.zfunc/_pri-lab'),
    'cache': ('show what lies in the cache: size, last use, whose it is',
              'A line each for the builds of every clone, QEMUs, kernels, '
              'downloads, results\nof races and logs, and which commands '
              'use it now.', '  ./pri-lab cache\n  ./pri-lab clean --old'),
    'clean': ('remove this clone\'s builds from the cache',
              'Kernels and downloads are shared and stay, unless --all.  '
              'Results of races,\nrecordings and logs stay in any case, '
              'unless --results.',
              '  ./pri-lab clean\n  ./pri-lab clean --old\n'
              '  ./pri-lab clean --all'),
}
USES = {                        # which options a command understands
    'run': 'qemu kernel accel config platform job timeout append junit json '
           'debug record add tests',
    'repro': 'qemu kernel accel config platform repro record json new',
    'explore': 'qemu kernel accel config explore json new',
    'check': 'qemu kernel accel config timeout sanitize junit json',
    'build': 'qemu sanitize', 'kernel': 'kernel config json',
    'qemu': 'qemu kernel accel config platform job append',
    'shell': 'qemu kernel accel config platform append debug add',
    'packages': '', 'conformance': '',
    'bench': 'qemu kernel accel rounds boots timeout', 'package': 'qemu output',
    'completion': '', 'clean': 'clean', 'cache': '',
    'timeline': 'chart',
}
