# SPDX-License-Identifier: GPL-2.0-or-later
"""Command line of pri-lab: options before or after the command."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import sys
import textwrap
from typing import List, Tuple

from .core import cache, proc, running, ui
from .core.errors import (EXIT_ABORT, EXIT_CANNOT, EXIT_INTERRUPTED,
                          EXIT_USAGE, Interrupted, LabError, from_oserror)
from .dist import completion
from .helptext import COMMANDS, EXAMPLES, SUMMARY, USES
from .inputs import check as inputs
from .machine import jobs, record
from .timeline import chart

def _at_least(least: int):
    """The type of an option that takes a whole number, not below one."""
    def number(text: str) -> int:
        if not re.fullmatch(r'-?\d+', text) or int(text) < least:
            raise argparse.ArgumentTypeError(
                f'{text!r} is not a whole number of {least} or more')
        return int(text)
    return number


_positive, _number = _at_least(1), _at_least(0)


def _common(p: argparse.ArgumentParser, uses: List[str]) -> None:
    """Options that may stand before the command, too.  SUPPRESS lets both
    places set them."""
    s = argparse.SUPPRESS
    p.add_argument('-v', '--verbose', action='store_true', default=s,
                   help='show the output of every step')
    p.add_argument('-j', '--jobs', type=_positive, metavar='N', default=s,
                   help='parallel jobs (default: one a processor)')
    if 'qemu' in uses:
        p.add_argument('--qemu-src', metavar='DIR|TARBALL', default=s,
                       help='QEMU 10.2.2 source to use')
    if 'kernel' in uses:
        p.add_argument('--kernel', metavar='NAME|DIR|IMAGE', default=s,
                       help='guest kernel to use: a name of `kernel list`, '
                       'with /FRAGMENT for guest/kernel/FRAGMENT.config on '
                       'top and +PATCH for guest/kernel/bugs/PATCH.patch; a '
                       'build directory, a source tree, a vmlinux or a '
                       'bzImage')
    if 'accel' in uses:
        p.add_argument('--accel', choices=('tcg', 'kvm'), default=s,
                       help='default: kvm where it works, else tcg')


def _explore(p: argparse.ArgumentParser) -> None:
    p.add_argument('--budget', type=_positive, metavar='MIN', default=0,
                   help='minutes for all that is named')
    p.add_argument('--runs', type=_positive, metavar='N', default=-1,
                   help='schedules of a scenario at most, those of before '
                   'counted with --resume (default: 1000; orders of steps: '
                   '200)')
    p.add_argument('--seed', type=_number, metavar='S', default=1,
                   help='of the choices (default: 1)')
    p.add_argument('--focus', default='iommu', metavar='A,B',
                   help='code whose accesses are points: iommu, vfio, pci, '
                   'mm, workqueue, a directory or object of the kernel, a '
                   'function (default: iommu)')
    p.add_argument('--hits', type=_positive, metavar='N', default=0,
                   help='end after so many distinct hits')
    p.add_argument('--known', action='store_true',
                   help='what is written up counts as a hit, too')
    p.add_argument('--all', action='store_true',
                   help='every scenario of tasks')
    p.add_argument('--resume', action='store_true',
                   help='go on from what was covered before')
    p.add_argument('--report', action='store_true', dest='pages',
                   help='write a page of each distinct hit there is')
    p.add_argument('--plan', default='', metavar='TEXT',
                   help='run this plan once and print it')
    p.add_argument('--measure', type=_positive, metavar='SEEDS', default=0,
                   help='count schedules until the first hit, for so many '
                   'seeds, against random slices and round robin')
    p.add_argument('--sign', default='', metavar='REGEX',
                   help='end after a hit with such a sign; with '
                   '--measure: what counts as the hit')
    p.add_argument('--determinism', action='store_true',
                   help='run some plans over and over (--runs, default 100; '
                   '--plan: that one): is each run the same?')
    p.add_argument('--depth', type=_positive, metavar='D', default=0,
                   help='of steps: how many an order has (default: 4)')
    p.add_argument('--order', default='', metavar='WORD',
                   help='of steps: this order alone')


def _add(p: argparse.ArgumentParser, uses: List[str]) -> None:
    """Options of some commands."""
    if 'config' in uses:
        p.add_argument('--config', action='append', default=[],
                       metavar='FRAGMENT', help='lines of configuration on '
                       'top of base.config, for a kernel of `kernel list`')
        p.add_argument('--make', action='append', default=[],
                       metavar='VARIABLE=VALUE', help='for make, when a '
                       'source tree of yours is built (LLVM=1); LLVM and CC '
                       'of the environment count, too; may be repeated')
    if 'job' in uses:
        p.add_argument('--args', default='', metavar='A,B',
                       help='arguments of the guest program')
    if 'tests' in uses:
        p.add_argument('--list', action='store_true', dest='list_tests',
                       help='print the tests of JOB that --args can name, or '
                       'without a JOB the jobs')
    if 'platform' in uses:
        p.add_argument('--platform', choices=jobs.PLATFORMS, default='',
                       help='defaults of the knobs of IOMMU and devices: '
                       'strict is the least forgiving legal machine '
                       '(docs/platforms.md)')
    if 'timeout' in uses:
        p.add_argument('--timeout', type=_positive, metavar='SECONDS',
                       default=0, help='for one boot of the guest')
    if 'sanitize' in uses:
        p.add_argument('--sanitize', action='store_true',
                       help='with address and undefined-behaviour sanitizers')
    if 'junit' in uses:
        p.add_argument('--junit', default='', metavar='FILE',
                       help='write the results as JUnit XML, too')
    if 'json' in uses:
        p.add_argument('--json', default='', metavar='FILE',
                       help='write the results for programs to read, too '
                       '(docs/manual/json.md); -: to standard output')
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
                       metavar='FILE|DIR', help='put your own program (it '
                       'finds libc and busybox) into the guest, as /tests/NAME; a '
                       'JOB can be one; may be repeated')
    if 'append' in uses:
        p.add_argument('--append', default='', metavar='WORDS',
                       help='more words for the kernel command line')
    if 'rounds' in uses:
        p.add_argument('--rounds', type=_positive, metavar='N', default=0,
                       help='turns of each side (default: 15)')
    if 'boots' in uses:
        p.add_argument('--runs', type=_positive, metavar='N', default=-1,
                       help='boots (default: 100)')
        p.add_argument('--load', type=_number, metavar='N', default=-1,
                       help='how many others are at work beside a boot '
                       '(default: 14): with -j N, N - 1 boots; the others '
                       'are busy loops')
        p.add_argument('--resume', action='store_true',
                       help='count the boots that there are, of the same '
                       'machine, and make the others')
    if 'output' in uses:
        p.add_argument('--output', default='', metavar='DIR',
                       help='where to put it (default: in the cache)')
    if 'record' in uses:
        p.add_argument('--record', nargs='?', const=LOGGED, default='',
                       metavar='FILE.jsonl',
                       help='write one log of guest, IOMMU and device, for '
                       '`timeline`, to a file of that ending or to the '
                       'log directory' + (' (one run of each race)'
                                       if 'repro' in uses else ''))
    if 'chart' in uses:
        chart.options(p)
    if 'explore' in uses:
        _explore(p)
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
                       help='write docs/races.md from the results there are, '
                       'or docs/races-PLATFORM.md of --platform')
        p.add_argument('--show', action='store_true',
                       help='say what the races named are, run nothing')
        p.add_argument('--status', action='store_true',
                       help='how far the campaigns are that run now, in any '
                       'clone')
        p.add_argument('--bundle', default='', metavar='FILE',
                       help='one archive (.tar.gz) of program, configuration, '
                       'logs and what they are of; `repro FILE` runs it')
        p.add_argument('--report', default='', metavar='FILE',
                       help='a report ready to send, the splat decoded')
        p.add_argument('--bisect', action='store_true',
                       help='the exit status that `git bisect run` wants: 1 '
                       'REPRODUCED, 0 NOT REPRODUCED, 125 cannot tell; stops '
                       'at the first run that says yes (default: 3 runs from '
                       'a snapshot, none cold)')
        p.add_argument('--expect', choices=('yes', 'no'), default='',
                       help='what is expected of the kernel, instead of what '
                       'the header says')
    if 'new' in uses:
        p.add_argument('--new', default='', metavar='NAME',
                       help='write NAME.c to start from, here or, in the '
                       'repository, where the others are')
    if 'clean' in uses:
        p.add_argument('--all', action='store_true',
                       help='the whole cache but results of races, '
                       'recordings and logs; refused while others use it')
        p.add_argument('--old', action='store_true',
                       help='what nobody used for 30 days, and builds of '
                       'clones that are gone')
        p.add_argument('--results', action='store_true',
                       help='with --all: these, too')


LOGGED = '-'                    # of --record: in the log directory


class Wrapped(argparse.RawDescriptionHelpFormatter):
    """Prose as wide as the terminal, examples as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        out = []
        for line in re.sub(r'(?<=[^\s:])\n(?=[^\s])', ' ', text).split('\n'):
            out += [line] if line.startswith(' ') or not line else \
                textwrap.wrap(line, width)
        return '\n'.join(indent + x for x in out)


def parser() -> argparse.ArgumentParser:
    raw = Wrapped
    top = argparse.ArgumentParser(prog='pri-lab', description=SUMMARY,
                                  epilog=EXAMPLES, formatter_class=raw,
                                  allow_abbrev=False)
    _common(top, ['qemu', 'kernel', 'accel'])
    top.add_argument('--version', action='store_true',
                     default=argparse.SUPPRESS,
                     help='say which commit or package this is')
    subs = top.add_subparsers(dest='command', metavar='COMMAND')
    for name, (line, text, examples) in COMMANDS.items():
        p = subs.add_parser(name, help=line, formatter_class=raw,
                            description=f'{line[0].upper()}{line[1:]}.\n\n'
                            + text, epilog='examples:\n' + examples,
                            allow_abbrev=False)
        uses = USES[name].split()
        _common(p, uses)
        _add(p, uses)
        if name == 'run':
            p.add_argument('job', nargs='?', default='', metavar='JOB')
        elif name == 'explore':
            p.add_argument('scenario', nargs='*', metavar='SCENARIO')
        elif name == 'repro':
            p.add_argument('races', nargs='*', metavar='RACE|FILE')
        elif name == 'bench':
            p.add_argument('parts', nargs='*', metavar='PART')
        elif name == 'check':
            p.add_argument('names', nargs='*', metavar='SUITE|TEST')
        elif name == 'completion':
            p.add_argument('shell', choices=completion.SHELLS + ('words',),
                           metavar='bash|zsh|fish')
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
    # not shown: what meson calls
    internal = subs.add_parser('guest-test', allow_abbrev=False)
    _common(internal, [])
    _add(internal, ['job', 'timeout', 'platform'])
    internal.add_argument('job')
    return top


_DEFAULTS = {'verbose': False, 'jobs': 0, 'qemu_src': '', 'kernel': '',
             'accel': '', 'sanitize': False, 'timeout': 0, 'args': '',
             'append': '', 'job': '', 'names': [], 'qemu_args': [],
             'platform': '',
             'runs': -1, 'cold': -1, 'load': -1, 'races': [], 'table': False,
             'depth': 0, 'seed': 1, 'order': '', 'scenario': [],
             'budget': 0, 'focus': 'iommu', 'hits': 0, 'known': False,
             'plan': '', 'measure': 0,
             'determinism': False, 'sign': '',
             'rounds': 0, 'record': '', 'all': False, 'junit': '',
             'bisect': False, 'expect': '', 'resume': False, 'limit': 0,
             'output': '', 'action': None, 'what': '', 'parts': [],
             'results': False, 'list_tests': False, 'make': [], 'old': False,
             'json': '', 'show': False, 'status': False,
             'bundle': '', 'report': '', 'pages': False, 'new': '',
             'gdb': False, 'add': [], 'config': [], 'trace': [], 'qemu_arg': []}
_WITH_VALUE = ('--config', '--jobs', '--qemu-src', '--kernel', '--accel',
               '--args',
               '--append', '--job', '--platform')
_FLAGS = ('-v', '--verbose', '-h', '--help')


def record_words(argv: List[str]) -> List[str]:
    """--record takes a FILE if the next word ends like one; any other word
    is a JOB or a RACE."""
    out: List[str] = []
    for n, word in enumerate(argv):
        if word == '--record' and not argv[n + 1:n + 2] or \
                word == '--record' and not argv[n + 1].endswith(
                    record.SUFFIX):
            word = f'--record={LOGGED}'
        out.append(word)
    return out


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
    ours = record_words(ours)
    p = parser()
    options = p.parse_args(ours)
    if not options.command and not hasattr(options, 'version'):
        p.print_help()
        raise SystemExit(EXIT_USAGE)
    uses = USES.get(options.command or '', 'qemu kernel accel').split()
    for name, group in (('qemu_src', 'qemu'), ('kernel', 'kernel'),
                        ('accel', 'accel')):
        if hasattr(options, name) and group not in uses:
            p.error(f'{options.command} has no use for '
                    f'--{name.replace("_", "-")}')
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


def reads_only(o: argparse.Namespace) -> bool:
    """Whether a command only shows what there is: it leaves no log, and the
    cache need not be there."""
    return {'timeline': True, 'cache': True, 'kernel': o.action == 'list',
            'repro': o.show or not (o.races or o.all or o.table),
            'explore': not (o.scenario or o.all or o.pages),
            'run': o.list_tests}.get(o.command, False)


def command_line(argv: List[str]) -> str:
    return shlex.join(['./pri-lab'] + argv)


def _run(o: argparse.Namespace, argv: List[str], repo: str, screen) -> int:
    """The command itself, everything it was given having been checked."""
    # late: an import error of a module must not hide --help
    from .lab import Lab
    lab = Lab(repo, o, screen, command_line(argv))
    command = getattr(lab, 'cmd_' + o.command.replace('-', '_'))
    if reads_only(o):
        status = command()
        lab.end(status)
        return status
    with running.here(cache.root(), command_line(argv), lab.paths.repo,
                      o.command == 'clean' and o.all):
        status = EXIT_CANNOT
        try:
            status = command()
            return status
        finally:
            lab.end(status)


def _interrupted(o: argparse.Namespace) -> str:
    if o.command == 'repro':
        return 'interrupted; the results so far are kept: add --resume to ' \
            'the same command to go on with them'
    if o.command == 'explore':
        return 'interrupted; what was covered and the hits are kept: add ' \
            '--resume to the same command to go on'
    return 'interrupted; what is built so far is kept, the same command ' \
        'goes on from there'


def _streams() -> None:
    """Output that cannot be shown here is no error: a letter that the
    terminal does not know, a standard error that is closed."""
    for name in ('stdout', 'stderr'):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, 'w', encoding='utf-8'))
        elif hasattr(getattr(sys, name), 'reconfigure'):
            getattr(sys, name).reconfigure(errors='replace')


def main(argv: List[str], repo: str) -> int:
    _streams()
    options = parse(argv)
    if hasattr(options, 'version'):
        print(f'pri-lab {inputs.version(repo)}')
        return 0
    if options.command == 'completion':     # quick, leaves no log behind
        return completion.main(options.shell, options.kind, parser(), repo)
    screen = ui.UI(options.verbose, quiet=options.command == 'guest-test')
    if options.json == '-':             # the only thing there
        screen.all_to_stderr()
    failed = EXIT_ABORT if options.bisect else None
    try:
        proc.install_signal_handlers()
        inputs.repository_only(options, repo)
        inputs.check(options, repo, screen)
        return _run(options, argv, repo, screen)
    except LabError as e:
        report_error(e, screen)
        return failed or e.status
    except Interrupted as e:
        proc.kill_all()
        screen.error(_interrupted(options))
        return EXIT_INTERRUPTED if e.signum == 2 else 128 + e.signum
    except BrokenPipeError:
        sys.stderr.close()
        return failed or EXIT_CANNOT
    except OSError as e:
        report_error(from_oserror(e, cache.root()), screen)
        return failed or EXIT_CANNOT
    finally:
        proc.kill_all()
        screen.close()
