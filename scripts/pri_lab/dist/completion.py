# SPDX-License-Identifier: GPL-2.0-or-later
"""`pri-lab completion bash|zsh|fish`: a script for the shell to read.

The names of kernels, jobs, tests and races are asked for when they are completed
(`pri-lab completion words KIND`), everything else is in the script.
"""

from __future__ import annotations

import argparse
import glob
import os
import re
from typing import Dict, List, Tuple

from ..bench import bench
from ..core import cache, options
from ..inputs import names
from ..linux import bugkernel, kernel, matrix
from ..machine import events, record
from ..races import race

SHELLS = ('bash', 'zsh', 'fish')
KINDS = ('jobs', 'kernels', 'tests', 'races', 'scenarios', 'events',
         'recordings', 'parts', 'patched')
RACES = {'races': race.RACES, 'scenarios': race.SCENARIOS}


def words(repo: str, kind: str) -> List[str]:
    """Names for completion, of this clone: kernels with fragments and
    patches, jobs, tests, races, scenarios, kinds of events, recordings."""
    if kind == 'kernels':
        return ['all', *matrix.load(repo)]
    if kind == 'patched':
        return _patched(repo)
    if kind in RACES:
        return list(dict.fromkeys(
            n for e in race.load(repo, RACES[kind]) for n in (*e.ids, e.name)))
    if kind == 'tests':
        return names.check_names(repo)
    if kind == 'events':
        return events.kinds()
    if kind == 'parts':
        return list(bench.Bench.PARTS)
    if kind == 'recordings':
        return _recordings()
    return ['all'] + [j for j in names.guest_jobs(repo)
                      if not j.startswith(('races/', 'scenarios/', 'resets/'))]


def _patched(repo: str) -> List[str]:
    """Kernels with a fragment or a patch after their name."""
    built = [n for n, e in matrix.load(repo).items() if not e.stock]
    fragments = [os.path.splitext(n)[0] for n in sorted(os.listdir(
        os.path.join(repo, kernel.KERNELS))) if n.endswith('.config')
        and not n.startswith('base')]
    return [*(f'{n}/{f}' for n in built for f in fragments),
            *(f'{n}+{b}' for n in built for b in bugkernel.names(repo))]


def _recordings() -> List[str]:
    """Of the current directory and of the cache, the newest first."""
    found = glob.glob('*' + record.SUFFIX)
    for top in ('logs', 'repro'):
        found += glob.glob(os.path.join(glob.escape(cache.root()), top, '*',
                                        '*' + record.SUFFIX))
    return sorted(found, key=os.path.getmtime, reverse=True)


def _positional_kind(command: str) -> str:
    return {'run': 'jobs', 'check': 'tests', 'repro': 'races',
            'explore': 'scenarios', 'bench': 'parts',
            'timeline': 'recordings'}.get(command, '')


def _ask(kind: str) -> str:
    return f'$("$1" completion words {kind} 2>/dev/null)'


# -- bash ---------------------------------------------------------------------

_BASH = '''\
# bash completion for pri-lab; made by `pri-lab completion bash`
#   . <(./pri-lab completion bash)

_pri_lab()
{{
    local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}}
    local command= word i list=
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${{COMP_WORDS[i]}}
        case $word in
        {names})
            command=$word
            break
            ;;
        esac
    done
    case $prev in
{values}
    esac
    case $command in
{commands}
    *)
        list='{top}'
        ;;
    esac
    COMPREPLY=($(compgen -W "$list" -- "$cur"))
    case $list in
    *FILES*) COMPREPLY=($(compgen -W "${{list/FILES/}}" -f -- "$cur")) ;;
    esac
}}
complete -o filenames -F _pri_lab pri-lab ./pri-lab
'''


def _bash_value(o: options.Option) -> str:
    """The case arm that completes what an option takes; '' for a flag."""
    if not o.names or not o.value:
        return ''
    if o.choices:
        reply = f'COMPREPLY=($(compgen -W \'{" ".join(o.choices)}\' ' \
            '-- "$cur"))'
    elif o.wants == 'kernel':
        # one of a list: what is before the last comma stays
        reply = 'local before= kind=kernels\n' \
            '        [[ $cur == *,* ]] && before=${cur%,*},\n' \
            '        [[ ${cur##*,} == *[+/]* ]] && kind=patched\n' \
            '        COMPREPLY=($(compgen -P "$before" -W ' \
            f'"{_ask("$kind")}" -f -- "${{cur##*,}}"))'
    elif o.names == ('--kind',):
        reply = f'COMPREPLY=($(compgen -W "{_ask("events")}" -- "$cur"))'
    elif o.wants == 'file':
        reply = 'COMPREPLY=($(compgen -f -- "$cur"))'
    elif o.wants == 'dir':
        reply = 'COMPREPLY=($(compgen -d -- "$cur"))'
    else:
        reply = 'COMPREPLY=()'
    return f'    {"|".join(o.names)})\n        {reply}\n        return\n' \
        '        ;;'


def _bash_words(c: options.Command) -> str:
    """What can follow a command, for compgen -W in double quotes."""
    out = [n for o in c.options for n in o.names if n.startswith('--')]
    for p in c.positionals:
        out += p.choices
        if p.wants == 'kernel':
            out += [_ask('kernels'), 'FILES']
        elif p.wants:
            out.append('FILES')
    if _positional_kind(c.name):
        out.append(_ask(_positional_kind(c.name)))
    return ' '.join(out)


def bash(top: argparse.ArgumentParser) -> str:
    cmds = options.commands(top)
    arms: Dict[Tuple[str, ...], str] = {}
    for o in [o for c in cmds for o in c.options]:
        if _bash_value(o):
            arms.setdefault(o.names, _bash_value(o))
    names = [c.name for c in cmds]
    first = names + [n for o in options.common(top) for n in o.names
                     if n.startswith('--')]
    return _BASH.format(
        names='|'.join(names), values='\n'.join(arms.values()),
        commands='\n'.join(f'    {c.name})\n        list="{_bash_words(c)}"\n'
                           '        ;;' for c in cmds),
        top=' '.join(first))


# -- zsh ----------------------------------------------------------------------

_ZSH = '''\
#compdef pri-lab
# zsh completion for pri-lab; made by `pri-lab completion zsh`.  Save it as
# _pri-lab in a directory of $fpath, or: source <(./pri-lab completion zsh)

_pri_lab_words() {{
    local -a names
    names=(${{(f)"$($_pri_lab_program completion words $1 2>/dev/null)"}})
    compadd -a names
}}

_pri_lab_kernels() {{
    compset -P '*,'
    _pri_lab_words kernels
    [[ $PREFIX == *[+/]* ]] && _pri_lab_words patched
    _files
}}

_pri_lab() {{
    local curcontext=$curcontext state line _pri_lab_program=$words[1]
    local -a commands
    commands=(
{names}
    )
    _arguments -C \\
{common}
        '1: :->command' '*:: :->rest' && return
    case $state in
    command)
        _describe -t commands command commands
        ;;
    rest)
        case $words[1] in
{arms}
        esac
        ;;
    esac
}}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _pri_lab "$@"
else
    compdef _pri_lab pri-lab ./pri-lab
fi
'''


def _zquote(text: str) -> str:
    return text.replace("'", "'\\''")


def _zsh_value(o: options.Option) -> str:
    what = o.value.replace(':', ' ') or ' '
    if o.choices:
        return f':{what}:({" ".join(o.choices)})'
    if o.wants == 'kernel':
        return f':{what}:_pri_lab_kernels'
    if o.names == ('--kind',):
        return f':{what}:{{_pri_lab_words events}}'
    if o.wants:
        return f':{what}:_files' + (' -/' if o.wants == 'dir' else '')
    return f':{what}: '


def _zsh_option(o: options.Option) -> List[str]:
    """One _arguments spec a name of an option."""
    text = re.sub(r'[\[\]:]', ' ', o.help)
    star = '*' if o.many else ''
    return [f"'{_zquote(star + n + '[' + text + ']' + value)}'"
            for n in o.names
            for value in [_zsh_value(o) if o.value else '']]


def _zsh_arm(c: options.Command) -> str:
    specs = [s for o in c.options for s in _zsh_option(o)]
    kind = _positional_kind(c.name)
    for p in c.positionals:
        where = '*' if p.many else ''
        value = f':{p.value}:{{_pri_lab_words {kind}}}' if kind \
            else _zsh_value(p)
        specs.append(f"'{_zquote(where + ':' + value.lstrip(':'))}'")
    lines = ' \\\n'.join(' ' * 16 + s for s in specs)
    return f'        {c.name})\n            _arguments \\\n{lines}\n' \
        '            ;;'


def zsh(top: argparse.ArgumentParser) -> str:
    cmds = options.commands(top)
    common = [s for o in options.common(top) for s in _zsh_option(o)]
    return _ZSH.format(
        names='\n'.join(f"        '{_zquote(c.name + ':' + c.line)}'"
                        for c in cmds),
        common='\n'.join(f'        {s} \\' for s in common),
        arms='\n'.join(_zsh_arm(c) for c in cmds))


# -- fish ---------------------------------------------------------------------

def _fish_quote(text: str) -> str:
    return "'" + text.replace('\\', '\\\\').replace("'", "\\'") + "'"


def _fish_option(o: options.Option, command: str) -> str:
    line = f'complete -c pri-lab -n "__fish_seen_subcommand_from {command}"'
    for n in o.names:
        line += f' -l {n[2:]}' if n.startswith('--') else f' -s {n[1:]}'
    if o.choices:
        line += f' -xa {_fish_quote(" ".join(o.choices))}'
    elif o.wants == 'kernel':
        line += " -ra '(pri-lab completion words kernels)'"
    elif o.names == ('--kind',):
        line += " -xa '(pri-lab completion words events)'"
    elif o.value:
        line += ' -r'
    return line + f' -d {_fish_quote(o.help)}'


def fish(top: argparse.ArgumentParser) -> str:
    out = ['# fish completion for pri-lab; made by `pri-lab completion fish`',
           '#   ./pri-lab completion fish > '
           '~/.config/fish/completions/pri-lab.fish']
    for c in options.commands(top):
        out.append('complete -c pri-lab -f -n __fish_use_subcommand -a '
                   f'{c.name} -d {_fish_quote(c.line)}')
        kind = _positional_kind(c.name)
        if kind:
            out.append('complete -c pri-lab -n "__fish_seen_subcommand_from '
                       f'{c.name}" -a \'(pri-lab completion words {kind})\'')
        out += [_fish_option(o, c.name) for o in c.options if o.names]
    return '\n'.join(out) + '\n'


def main(shell: str, kind: str, top: argparse.ArgumentParser,
         repo: str) -> int:
    """The command: print a script, or the words of a kind."""
    if shell == 'words':
        print('\n'.join(words(repo, kind)))
    else:
        print({'bash': bash, 'fish': fish, 'zsh': zsh}[shell](top), end='')
    return 0
