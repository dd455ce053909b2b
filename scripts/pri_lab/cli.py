# SPDX-License-Identifier: GPL-2.0-or-later
"""Command line of pri-lab: options before or after the command."""

from __future__ import annotations

import argparse
import sys
from typing import List, Tuple

from . import chart, completion, proc, ui
from .errors import (EXIT_FAIL, EXIT_INTERRUPTED, Interrupted, LabError,
                     from_oserror)

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
written outside it and the repository.  Exit status: 0 good, 1 failed, 2 bad
usage, 4 everything was skipped (as kselftest), 130 interrupted.'''

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
              'Suites: unit, qtest, upstream (QEMU\'s own VT-d test), guest, '
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
              '  ./pri-lab repro --all --runs 100 --cold 5 --table'),
    'explore': ('try every order of the steps of a scenario',
                'Without a name: lists tests/guest/scenarios.  From one '
                'snapshot, runs every order\nof --depth steps, or --runs '
                'random ones if there are more, and stops at the first\n'
                'that goes wrong: a splat, a breach of protocol, wrong data, '
                'a hang.  Prints the\ncommand that runs that order again.  '
                'Exit status 0: nothing went wrong.',
                '  ./pri-lab explore\n'
                '  ./pri-lab explore groups --depth 3 --kernel 7.3+C-18\n'
                '  ./pri-lab explore groups --order acd'),
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
              'prq, functions,\nfaults; without one all of them.',
              '  ./pri-lab bench\n  ./pri-lab bench --rounds 30 faults'),
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
    'clean': ('remove this clone\'s builds from the cache',
              'Kernels and downloads are shared and stay, unless --all.',
              '  ./pri-lab clean\n  ./pri-lab clean --all'),
}
USES = {                        # which options a command understands
    'run': 'machine job timeout append junit debug record add',
    'repro': 'repro record', 'explore': 'explore',
    'check': 'machine timeout sanitize junit',
    'build': 'qemu sanitize', 'kernel': 'machine',
    'qemu': 'machine job append',
    'shell': 'machine append debug add', 'packages': '', 'conformance': '',
    'bench': 'rounds', 'package': 'output',
    'completion': '', 'clean': 'clean',
    'timeline': 'chart',
}


def _positive(text: str) -> int:
    n = int(text)
    if n < 1:
        raise ValueError
    return n


_positive.__name__ = 'positive number'      # argparse prints it


def _number(text: str) -> int:
    n = int(text)
    if n < 0:
        raise ValueError
    return n


_number.__name__ = 'number'


def _common(p: argparse.ArgumentParser) -> None:
    """Options of every command.  SUPPRESS lets both places set them."""
    s = argparse.SUPPRESS
    p.add_argument('-v', '--verbose', action='store_true', default=s,
                   help='show the output of every step')
    p.add_argument('-j', '--jobs', type=_positive, metavar='N', default=s,
                   help='parallel jobs (default: one a processor)')
    p.add_argument('--qemu-src', metavar='DIR|TARBALL', default=s,
                   help='QEMU 10.2.2 source to use')
    p.add_argument('--kernel', metavar='NAME|DIR|IMAGE', default=s,
                   help='guest kernel to use: a name of `kernel list`, '
                   'with /FRAGMENT for guest/kernel/FRAGMENT.config on top; '
                   'a build directory, a vmlinux or a bzImage')
    p.add_argument('--accel', choices=('tcg', 'kvm'), default=s,
                   help='default: kvm where it works, else tcg')


def _add(p: argparse.ArgumentParser, uses: List[str]) -> None:
    """Options of some commands."""
    if 'machine' in uses or 'repro' in uses:
        p.add_argument('--config', action='append', default=[],
                       metavar='FRAGMENT', help='lines of configuration on '
                       'top of base.config, for a kernel of `kernel list`')
    if 'job' in uses:
        p.add_argument('--args', default='', metavar='A,B',
                       help='arguments of the guest program')
    if 'timeout' in uses:
        p.add_argument('--timeout', type=_positive, metavar='SECONDS',
                       default=0, help='for one boot of the guest')
    if 'sanitize' in uses:
        p.add_argument('--sanitize', action='store_true',
                       help='with address and undefined-behaviour sanitizers')
    if 'junit' in uses:
        p.add_argument('--junit', default='', metavar='FILE',
                       help='write the results as JUnit XML, too')
    if 'debug' in uses:
        p.add_argument('--gdb', action='store_true',
                       help='wait for gdb before the guest starts, and say '
                       'how to attach it')
        p.add_argument('--trace', action='append', default=[],
                       metavar='PATTERN', help='log trace events of QEMU '
                       '(such as vtd_prq*, ats_*), may be repeated')
        p.add_argument('--qemu-arg', action='append', default=[],
                       metavar='WORDS', help='more arguments for QEMU, as '
                       '--qemu-arg=\'-device edu\', may be repeated')
    if 'add' in uses:
        p.add_argument('--add', action='append', default=[],
                       metavar='FILE|DIR', help='put your own program (it finds '
                       'libc and busybox) into the guest, as /tests/NAME; a '
                       'JOB can be one; may be repeated')
    if 'append' in uses:
        p.add_argument('--append', default='', metavar='WORDS',
                       help='more words for the kernel command line')
    if 'rounds' in uses:
        p.add_argument('--rounds', type=_positive, metavar='N', default=0,
                       help='turns of each side (default: 15)')
    if 'output' in uses:
        p.add_argument('--output', default='', metavar='DIR',
                       help='where to put it (default: in the cache)')
    if 'record' in uses:
        p.add_argument('--record', action='store_true',
                       help='write one log of guest, IOMMU and device, for '
                       '`timeline`' + (' (one run of each race)'
                                       if 'repro' in uses else ''))
    if 'chart' in uses:
        chart.options(p)
    if 'explore' in uses:
        p.add_argument('--depth', type=_positive, metavar='D', default=0,
                       help='steps of an order (default: 4)')
        p.add_argument('--seed', type=_number, metavar='S', default=1,
                       help='of the random orders (default: 1)')
        p.add_argument('--runs', type=_positive, metavar='N', default=-1,
                       help='orders to try at most (default: 200)')
        p.add_argument('--order', default='', metavar='WORD',
                       help='this order alone')
    if 'repro' in uses:
        p.add_argument('--runs', type=_number, metavar='N', default=-1,
                       help='runs from one snapshot (default: 10)')
        p.add_argument('--cold', type=_number, metavar='N', default=-1,
                       help='runs from a cold boot (default: 1)')
        p.add_argument('--limit', type=_positive, metavar='SECONDS',
                       default=0, help='of a race on a kernel, start no more '
                       'runs of either kind after that long')
        p.add_argument('--resume', action='store_true',
                       help='add to the results there are, and make only '
                       'the runs that they lack of --runs and --cold')
        p.add_argument('--all', action='store_true',
                       help='every race, on every kernel its header names')
        p.add_argument('--table', action='store_true',
                       help='write docs/races.md from the results there are')
    if 'clean' in uses:
        p.add_argument('--all', action='store_true',
                       help='the whole cache: downloads and kernels too')


def parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    top = argparse.ArgumentParser(prog='pri-lab', description=SUMMARY,
                                  epilog=EXAMPLES, formatter_class=raw,
                                  allow_abbrev=False)
    _common(top)
    subs = top.add_subparsers(dest='command', metavar='COMMAND')
    for name, (line, text, examples) in COMMANDS.items():
        p = subs.add_parser(name, help=line, formatter_class=raw,
                            description=f'{line[0].upper()}{line[1:]}.\n\n'
                            + text, epilog='examples:\n' + examples,
                            allow_abbrev=False)
        _common(p)
        _add(p, USES[name].split())
        if name == 'run':
            p.add_argument('job', nargs='?', default='', metavar='JOB')
        elif name == 'explore':
            p.add_argument('scenario', nargs='?', default='',
                           metavar='SCENARIO')
        elif name == 'repro':
            p.add_argument('races', nargs='*', metavar='RACE')
        elif name == 'bench':
            p.add_argument('parts', nargs='*', metavar='PART')
        elif name == 'check':
            p.add_argument('names', nargs='*', metavar='SUITE|TEST')
        elif name == 'completion':
            p.add_argument('shell', choices=('bash', 'zsh', 'words'),
                           metavar='bash|zsh')
            p.add_argument('kind', nargs='?', default='jobs',
                           choices=completion.KINDS,
                           help=argparse.SUPPRESS)
        elif name == 'kernel':
            p.add_argument('action', nargs='?', default=None,
                           choices=('list', 'build', 'report'),
                           metavar='list|build|report')
            p.add_argument('what', nargs='?', default='',
                           metavar='NAME|DIR')
        elif name == 'qemu':
            p.usage = 'pri-lab qemu [options] [--] QEMU-ARGUMENTS'
            p.add_argument('--job', default='', metavar='NAME',
                           help='job for the guest (default: shell)')
    internal = subs.add_parser('guest-test', allow_abbrev=False)
    _common(internal)
    _add(internal, ['job', 'timeout'])
    internal.add_argument('job')
    return top


_DEFAULTS = {'verbose': False, 'jobs': 0, 'qemu_src': '', 'kernel': '',
             'accel': '', 'sanitize': False, 'timeout': 0, 'args': '',
             'append': '', 'job': '', 'names': [], 'qemu_args': [],
             'runs': -1, 'cold': -1, 'races': [], 'table': False,
             'depth': 0, 'seed': 1, 'order': '', 'scenario': '',
             'rounds': 0, 'record': False, 'all': False, 'junit': '',
             'gdb': False, 'add': [], 'config': [], 'trace': [], 'qemu_arg': []}
_WITH_VALUE = ('--config', '--jobs', '--qemu-src', '--kernel', '--accel',
               '--args',
               '--append', '--job')
_FLAGS = ('-v', '--verbose', '-h', '--help')


def split_qemu(argv: List[str]) -> Tuple[List[str], List[str]]:
    """Our arguments and QEMU's, for `qemu`: QEMU's start at the first word
    that is not one of our options, or after `--`."""
    ours: List[str] = []
    rest = list(argv)
    seen = False
    while rest:
        word = rest[0]
        if word == '--':
            return ours, rest[1:]
        if not seen and word == 'qemu':
            seen = True
        elif word in _WITH_VALUE or word == '-j':
            ours.append(rest.pop(0))
            if not rest:
                break
        elif word in _FLAGS or word.split('=', 1)[0] in _WITH_VALUE:
            pass
        elif not seen:
            return list(argv), []       # another command, or an error
        else:
            break
        ours.append(rest.pop(0))
    return ours, rest


def parse(argv: List[str]) -> argparse.Namespace:
    ours, qemu_args = split_qemu(argv) if 'qemu' in argv else (argv, [])
    p = parser()
    options = p.parse_args(ours)
    if not options.command:
        p.print_help()
        raise SystemExit(2)
    for name, value in _DEFAULTS.items():
        if not hasattr(options, name):
            setattr(options, name, value)
    options.qemu_args = qemu_args
    options.parser = p
    return options


def report_error(e: LabError, screen) -> None:
    for line in e.tail:
        screen.say('  ' + line)
    screen.error(e.what)
    if e.hint:
        screen.say(f'  {e.hint}')
    if e.log:
        screen.say(f'  log: {e.log}')


def main(argv: List[str], repo: str) -> int:
    options = parse(argv)
    if options.command == 'completion':     # quick, leaves no log behind
        return completion.main(options.shell, options.kind, parser(), repo)
    screen = ui.UI(options.verbose, quiet=options.command == 'guest-test')
    try:
        proc.install_signal_handlers()
        # late: an import error of a module must not hide --help
        from .lab import Lab
        lab = Lab(repo, options, screen)
        command = getattr(lab, 'cmd_' + options.command.replace('-', '_'))
        return command()
    except LabError as e:
        report_error(e, screen)
        return EXIT_FAIL
    except Interrupted as e:
        proc.kill_all()
        screen.error('interrupted; the same command goes on where it '
                     'stopped')
        return EXIT_INTERRUPTED if e.signum == 2 else 128 + e.signum
    except BrokenPipeError:
        sys.stderr.close()
        return EXIT_FAIL
    except OSError as e:
        report_error(from_oserror(e), screen)
        return EXIT_FAIL
    finally:
        proc.kill_all()
        screen.close()
