# SPDX-License-Identifier: GPL-2.0-or-later
"""Command line of pri-lab: options before or after the command."""

from __future__ import annotations

import argparse
import dataclasses
import os
import re
import shlex
import sys
import textwrap
from typing import Any, Dict, List, NoReturn, Tuple

from .commands import (bench, build, cache as cache_command, check, clean,
                       completion, conformance, explore, guest_test, kernel,
                       kunit, package, packages, qemu, repro, resets, run,
                       shared, shell, timeline)
from .core import cache, defaults, near, options, proc, running, ui
from .core.context import Context, Outcome, cpus
from .core.errors import (EXIT_ABORT, EXIT_CANNOT, EXIT_INTERRUPTED,
                          EXIT_USAGE, STATUSES, Interrupted, LabError,
                          UsageError, from_oserror)
from .evidence import results
from .inputs import check as inputs
from .machine import record
from .state import logs

# in the order of the help
MODULES: Tuple[Any, ...] = (
    run, check, repro, explore, resets, kunit, build, kernel, qemu, shell, packages, bench,
    timeline, conformance, package, completion, cache_command, clean,
    guest_test)
ALL: Dict[str, Any] = {m.NAME: m for m in MODULES}
COMMANDS = [m.NAME for m in MODULES if not getattr(m, 'HIDDEN', False)]

BISECT = '--bisect'             # `git bisect run` takes 1 to 127 for a verdict
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


class Wrapped(argparse.RawDescriptionHelpFormatter):
    """Prose as wide as the terminal, examples as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        out = []
        for line in re.sub(r'(?<=[^\s:])\n(?=[^\s])', ' ', text).split('\n'):
            out += [line] if line.startswith(' ') or not line else \
                textwrap.wrap(line, width)
        return '\n'.join(indent + x for x in out)


# -- the parser ---------------------------------------------------------------

class Parser(argparse.ArgumentParser):
    """What is wrong is told as everywhere else: one line, and what to do.
    A command that does not exist is complained of as any other name."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f'{self.prog.partition(" ")[2] or "options"}: '
                         f'{message}',
                         f'./{self.prog} --help says what there is')

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if isinstance(action, argparse._SubParsersAction) and \
                value not in ALL:
            raise near.unknown('command', value, COMMANDS)
        super()._check_value(action, value)


def _add(p: argparse.ArgumentParser, request) -> None:
    """The options of a request: of its groups, then its own."""
    for group in request.__mro__[::-1]:
        if 'add' in vars(group):
            vars(group)['add'].__get__(None, request)(p)


def _command(subs, module) -> None:
    if getattr(module, 'HIDDEN', False):
        p = subs.add_parser(module.NAME, allow_abbrev=False)
    else:
        line = module.HELP
        p = subs.add_parser(
            module.NAME, help=line, formatter_class=Wrapped,
            description=f'{line[0].upper()}{line[1:]}.\n\n' + module.TEXT,
            epilog='examples:\n' + module.EXAMPLES, allow_abbrev=False)
    if hasattr(module, 'USAGE'):
        p.usage = module.USAGE
    _add(p, module.Request)


def parser() -> argparse.ArgumentParser:
    top = Parser(prog='pri-lab', description=SUMMARY, epilog=EXAMPLES,
                 formatter_class=Wrapped, allow_abbrev=False)
    for group in (shared.Request, shared.Qemu, shared.Kernel, shared.Accel):
        _add(top, group)
    top.add_argument('--version', action='store_true',
                     default=argparse.SUPPRESS,
                     help='say which commit or package this is')
    subs = top.add_subparsers(dest='command', metavar='COMMAND',
                              parser_class=Parser)
    for module in MODULES:
        _command(subs, module)
    return top


# -- one command line ---------------------------------------------------------

def record_words(argv: List[str]) -> List[str]:
    """--record takes a FILE if the next word ends like one; any other word
    is a JOB or a RACE."""
    out: List[str] = []
    for n, word in enumerate(argv):
        if word == '--record' and not (argv[n + 1:] and argv[n + 1].endswith(
                record.SUFFIX)):
            word = f'--record={record.LOGGED}'
        out.append(word)
    return out


def _options_of_qemu() -> Tuple[List[str], List[str]]:
    """Options of `qemu` that take a value, and those that take none."""
    p = argparse.ArgumentParser()
    _add(p, qemu.Request)
    value: List[str] = []
    flags: List[str] = []
    for a in p._actions:
        (flags if a.nargs == 0 else value).extend(a.option_strings)
    return value, flags


def split_qemu(argv: List[str]) -> Tuple[List[str], List[str]]:
    """Our arguments and QEMU's, for `qemu`: QEMU's start at the first word
    that is not one of our options, or after `--`."""
    with_value, flags = _options_of_qemu()
    ours: List[str] = []
    rest = list(argv)
    seen = False
    while rest:
        word = rest[0]
        if word == '--':
            return ours, rest[1:]
        if not seen and word == qemu.NAME:
            seen = True
        elif word in with_value:
            ours.append(rest.pop(0))
            if not rest:
                break
        elif word in flags or word.startswith('--') and \
                word.split('=', 1)[0] in with_value:
            pass
        elif not seen:
            return list(argv), []       # another command, or an error
        else:
            break
        ours.append(rest.pop(0))
    return ours, rest


def request_of(found: argparse.Namespace):
    """The request of the command that argparse has found."""
    cls = ALL[found.command].Request
    fields = [f.name for f in dataclasses.fields(cls)]
    given = [n for n in fields if hasattr(found, n)
             and (n != 'config' or found.config)]
    own = defaults.used(found.command, given)
    return cls(**{n: own[n] if n in own else
                  getattr(found, n) if hasattr(found, n)
                  else shared.ANYWHERE[n] for n in fields})


def _refuse(p: argparse.ArgumentParser, command: str, word: str) -> NoReturn:
    """A word that the command has no use for."""
    if not word.startswith('-') or word == '-':
        raise UsageError(f'{command or "pri-lab"}: {word} is one word too '
                         'many', f'./pri-lab {command} --help says what it '
                         'takes' if command else None)
    have = next((c.options for c in options.commands(p)
                 if c.name == command), options.common(p))
    raise near.unknown('option', word.split('=')[0], [
        n for o in have for n in o.names if n.startswith('--')],
                       f' of {command}' if command else '')


def parse(argv: List[str]):
    """The request of a command line, or None: --version."""
    ours, qemu_args = split_qemu(argv) if qemu.NAME in argv else (argv, [])
    p = parser()
    found, left = p.parse_known_args(record_words(ours), argparse.Namespace(
        qemu_args=qemu_args))
    if left:
        _refuse(p, found.command, left[0])
    if hasattr(found, 'version'):
        return None
    if not found.command:
        p.print_help()
        raise SystemExit(EXIT_USAGE)
    fields = [f.name for f in dataclasses.fields(
        ALL[found.command].Request)]
    for name in shared.ANYWHERE:
        if hasattr(found, name) and name not in fields:
            p.error(f'{found.command} has no use for '
                    f'--{name.replace("_", "-")}')
    return request_of(found)


# -- what comes of it ---------------------------------------------------------

def report_error(e: LabError, screen) -> None:
    for line in e.tail:
        screen.say('  ' + line)
    screen.error(e.what)
    if e.hint:
        screen.say(textwrap.indent(e.hint, '  '))
    if e.log:
        screen.say(f'  log: {e.log}')


def command_line(argv: List[str]) -> str:
    return shlex.join(['./pri-lab'] + argv)


class Invocation:
    """One command: its context, and what is stored when it ends."""

    def __init__(self, repo: str, request, line: str, screen):
        self.request = request
        self._logdir = ''
        paths = cache.Paths(repo)
        self.context = Context(
            line, paths, screen,
            proc.Log(lambda: os.path.join(self.logdir(), 'log')),
            request.jobs or cpus(), parser(), self.logdir, Outcome())

    def logdir(self) -> str:
        """This command's, made when it is first asked for: one that only
        shows what there is leaves nothing behind."""
        if not self._logdir:
            self._logdir = logs.new(self.context.paths.logs,
                                    self.request.command)
        return self._logdir

    def run(self) -> int:
        ctx, request = self.context, self.request
        command = ALL[request.command].run
        if request.reads_only:
            status = command(ctx, request)
            self.end(status)
            return status
        with running.here(cache.root(), ctx.line, ctx.paths.repo,
                          request.cleans):
            status = EXIT_CANNOT
            try:
                status = command(ctx, request)
                return status
            finally:
                self.end(status)

    def end(self, status: int) -> None:
        """What came of the command, beside its logs and for --json."""
        ctx, request = self.context, self.request
        ctx.log.close()
        if getattr(request, 'json', ''):
            results.write(request.json, results.document(
                request.command, ctx.line, ctx.paths.repo, status,
                ctx.outcome.found))
        if self._logdir:
            logs.note(self._logdir, ctx.outcome.evidence or status != 0,
                      command=ctx.line, status=status)


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
    try:
        request = parse(argv)
    except LabError as e:               # also of the file of defaults
        report_error(e, ui.UI())
        return EXIT_ABORT if BISECT in argv else e.status
    if request is None:
        print(f'pri-lab {inputs.version(repo)}')
        return 0
    screen = ui.UI(request.verbose,
                   quiet=request.command == guest_test.NAME)
    if getattr(request, 'json', '') == '-':     # the only thing there
        screen.all_to_stderr()
    try:
        proc.install_signal_handlers()
        inputs.repository_only(request, repo)
        inputs.check(request, repo, screen)
        return Invocation(repo, request, command_line(argv), screen).run()
    except LabError as e:
        report_error(e, screen)
        return request.failed or e.status
    except Interrupted as e:
        proc.kill_all()
        screen.error(request.INTERRUPTED)
        return EXIT_INTERRUPTED if e.signum == 2 else 128 + e.signum
    except BrokenPipeError:
        sys.stderr.close()
        return request.failed or EXIT_CANNOT
    except OSError as e:
        report_error(from_oserror(e, cache.root()), screen)
        return request.failed or EXIT_CANNOT
    finally:
        proc.kill_all()
        screen.close()
