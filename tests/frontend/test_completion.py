# SPDX-License-Identifier: GPL-2.0-or-later
import argparse
import os
import shutil
import subprocess
import tempfile
import unittest

from pri_lab import cli
from pri_lab.core import options
from pri_lab.dist import completion, manpage

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))


class Bash(unittest.TestCase):
    """The script, in a real bash, at the cursor."""

    def complete(self, line):
        words = line.split(' ')
        script = completion.bash(cli.parser()) + '''
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_pri_lab "$1"
printf '%s\\n' "${COMPREPLY[@]}"
'''
        words[0] = os.path.join(REPO, 'pri-lab')
        out = subprocess.run(['bash', '-c', script, 'bash'] + words,
                             cwd=REPO, stdout=subprocess.PIPE, check=True,
                             stderr=subprocess.PIPE, encoding='utf-8')
        self.assertEqual(out.stderr, '')
        return out.stdout.split()

    def test_commands(self):
        self.assertEqual(self.complete('pri-lab ru'), ['run'])
        self.assertIn('check', self.complete('pri-lab '))
        self.assertIn('--accel', self.complete('pri-lab -'))

    def test_options_of_the_command(self):
        self.assertEqual(self.complete('pri-lab -v run --ju'), ['--junit'])
        self.assertEqual(self.complete('pri-lab build --ju'), [])

    def test_values(self):
        self.assertEqual(self.complete('pri-lab run --accel k'), ['kvm'])
        self.assertIn('6.12', self.complete('pri-lab run --kernel 6'))
        self.assertIn('README.md', self.complete('pri-lab run --kernel R'))
        self.assertEqual(self.complete('pri-lab run --timeout 1'), [])

    def test_names(self):
        self.assertEqual(self.complete('pri-lab run sva-b'), ['sva-basic'])
        self.assertEqual(self.complete('pri-lab check qt'), ['qtest'])
        self.assertEqual(self.complete('pri-lab kernel li'), ['list'])
        self.assertIn('7.3', self.complete('pri-lab kernel build 7'))
        self.assertIn('guest', self.complete('pri-lab kernel build gu'))
        self.assertEqual(self.complete('pri-lab run long/'), ['long/stress'])
        self.assertEqual(self.complete('pri-lab repro drain-sk'),
                         ['drain-skipped'])
        self.assertIn('O-A', self.complete('pri-lab repro O-'))
        self.assertEqual(self.complete('pri-lab explore queue-c'),
                         ['queue-close'])

    def test_patches_fragments_recordings_and_kinds(self):
        """F27"""
        self.assertIn('7.3+C-18', self.complete('pri-lab run --kernel 7.3+C'))
        self.assertIn('7.3/plain', self.complete('pri-lab run --kernel 7.3/'))
        self.assertEqual(self.complete('pri-lab timeline x --kind qi-sub'),
                         ['qi-submit'])

    def test_list_of_kernels(self):
        self.assertEqual(self.complete('pri-lab check --kernel 7.3,6.12.'),
                         ['7.3,6.12.57'])
        self.assertEqual(self.complete('pri-lab check --kernel 6.12,7.3,al'),
                         ['6.12,7.3,all'])


class Fish(unittest.TestCase):
    def test_every_command_and_option(self):
        text = completion.fish(cli.parser())
        for c in options.commands(cli.parser()):
            self.assertIn(f'-a {c.name} ', text)
            for o in c.options:
                for n in o.names:
                    if n.startswith('--'):
                        self.assertIn(f' -l {n[2:]} ', text)

    @unittest.skipUnless(shutil.which('fish'), 'there is no fish')
    def test_fish_reads_it(self):
        subprocess.run(['fish', '--no-execute'], check=True, text=True,
                       input=completion.fish(cli.parser()))


class Zsh(unittest.TestCase):
    def test_every_command_and_option(self):
        text = completion.zsh(cli.parser())
        for c in options.commands(cli.parser()):
            self.assertIn(f"        '{c.name}:", text)
            for o in c.options:
                self.assertIn(f'{o.names[-1]}[', text)

    @unittest.skipUnless(shutil.which('zsh'), 'there is no zsh here')
    def test_zsh_reads_it(self):
        with tempfile.NamedTemporaryFile('w') as f:
            f.write(completion.zsh(cli.parser()))
            f.flush()
            out = subprocess.run(
                ['zsh', '-fc', 'autoload -U compinit; compinit -D; '
                 f'source {f.name}; print $_comps[pri-lab]'],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                encoding='utf-8', check=False)
        self.assertEqual((out.returncode, out.stdout.strip()),
                         (0, '_pri_lab'))


class Tree(unittest.TestCase):
    def test_what_a_value_is(self):
        def wants(name, metavar):
            return options.Option((name,), metavar, (), '', False).wants
        self.assertEqual(wants('--kernel', 'X'), 'kernel')
        self.assertEqual(wants('--x', 'DIR|TARBALL'), 'file')
        self.assertEqual(wants('--x', 'DIR'), 'dir')
        self.assertEqual(wants('--x', 'N'), '')

    def test_internal_commands_are_not_shown(self):
        names = [c.name for c in options.commands(cli.parser())]
        self.assertEqual(names, list(cli.COMMANDS))


class Man(unittest.TestCase):
    def test_page_is_up_to_date(self):
        with open(os.path.join(REPO, manpage.PAGE), encoding='utf-8') as f:
            self.assertTrue(f.read() == manpage.text(cli.parser()),
                            'run scripts/gen-man.py . and commit the page')

    def test_new_option_is_in_it(self):
        top = cli.parser()
        subs = next(a for a in top._actions
                    if isinstance(a, argparse._SubParsersAction))
        subs.choices['run'].add_argument('--new-one', help='is new')
        self.assertIn('\\fB\\-\\-new\\-one\\fR', manpage.text(top))

    def test_roff(self):
        self.assertEqual(manpage._esc(".a\n'b-c\\"),
                         '\\&.a\n\\(aqb\\-c\\e')
        text = manpage.text(cli.parser())
        for line in text.splitlines():
            self.assertFalse(line.startswith("'"), line)

    @unittest.skipUnless(shutil.which('groff'), 'there is no groff here')
    def test_groff_has_no_complaint(self):
        out = subprocess.run(['groff', '-man', '-ww', '-Tutf8', '-z',
                              os.path.join(REPO, manpage.PAGE)],
                             stdout=subprocess.PIPE, encoding='utf-8',
                             stderr=subprocess.STDOUT, check=True)
        self.assertEqual(out.stdout, '')
