# SPDX-License-Identifier: GPL-2.0-or-later
"""The container file and the CI recipes name commands that exist."""

import contextlib
import glob
import io
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest

try:
    import yaml
except ImportError:
    yaml = None

from pri_lab import cli

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
SHELLS = ('sh', 'bash')         # contrib/entry lets them through
FILES = sorted(glob.glob(os.path.join(REPO, 'contrib', '**', '*'),
                         recursive=True))


def commands(text):
    """The arguments of every line that calls ./pri-lab, or the image."""
    text = re.sub(r'\\\n#?', ' ', text)         # lines that continue
    for line in text.splitlines():
        m = re.search(r'(?:\./pri-lab|podman run .* pri-lab)\s+([a-z].*)',
                      line)
        if m:
            args = shlex.split(re.split(r'[`"\]]', m.group(1))[0])
            if args[0] not in SHELLS:
                yield args


class Recipes(unittest.TestCase):
    def test_commands_are_understood(self):
        seen = 0
        for path in filter(os.path.isfile, FILES):
            with open(path, encoding='utf-8') as f:
                for args in commands(f.read()):
                    seen += 1
                    with self.subTest(file=os.path.basename(path), args=args):
                        with contextlib.redirect_stderr(io.StringIO()):
                            cli.parse(args)
        self.assertGreater(seen, 5)

    def recipe(self, name):
        """A recipe as YAML, and as what its lines of shell are."""
        if yaml is None:
            self.skipTest('no PyYAML here: apt-get install python3-yaml')
        with open(os.path.join(REPO, 'contrib', 'ci', name),
                  encoding='utf-8') as f:
            return yaml.safe_load(f)

    def shell(self, lines):
        """Each is one that a shell can read."""
        self.assertTrue(lines)
        for line in lines:
            self.assertIsInstance(line, str)
            p = subprocess.run(['sh', '-n'], input=line, text=True,
                               check=False, stderr=subprocess.PIPE)
            self.assertEqual((p.returncode, p.stderr), (0, ''), line)

    def test_github(self):
        """M9: what a workflow must have, by its schema."""
        flow = self.recipe('github.yml')
        # YAML 1.1 reads the word `on` as true
        self.assertLessEqual(set(flow), {'name', True, 'jobs'})
        for job in flow['jobs'].values():
            self.assertIn('runs-on', job)
            for step in job['steps']:
                self.assertEqual(len({'run', 'uses'} & set(step)), 1, step)
                if 'uses' in step:
                    self.assertRegex(step['uses'], r'^[\w-]+/[\w-]+@v\d+$')
            self.shell([s['run'] for s in job['steps'] if 'run' in s])

    def test_gitlab(self):
        for name, job in self.recipe('gitlab.yml').items():
            self.assertLessEqual({'image', 'script'}, set(job), name)
            self.shell(job['script'])
            for path in job['artifacts']['paths'] + job['cache']['paths']:
                self.assertFalse(path.startswith(('/', '..')), path)

    def test_lava(self):
        job = self.recipe('lava.yaml')
        self.assertLessEqual({'job_name', 'device_type', 'visibility',
                              'priority', 'timeouts', 'actions'}, set(job))
        self.assertEqual([next(iter(a)) for a in job['actions']],
                         ['deploy', 'boot', 'test'])
        for one in job['actions'][2]['test']['definitions']:
            text = one['repository']
            self.shell(text['run']['steps'])
            pattern = re.compile(text['parse']['pattern'])
            words = text['parse']['fixupdict']
            for line, want in (('ok 1 sva-basic', 'pass sva-basic'),
                               ('  not ok 12 read-only # why',
                                'fail read-only')):
                m = pattern.search(line)
                self.assertTrue(m, line)
                self.assertEqual(f'{words[m.group("result")]} '
                                 f'{m.group("test_case_id")}', want)
            self.assertIsNone(pattern.search('# ok so far'))

    def test_one_list_of_packages(self):
        """The image installs what `./pri-lab packages` says, no copy of it."""
        with open(os.path.join(REPO, 'contrib', 'Containerfile'),
                  encoding='utf-8') as f:
            text = f.read()
        self.assertIn('RUN ./pri-lab packages', text)
        self.assertNotIn('libglib2.0-dev', text)

    def test_entry_point(self):
        """A command goes to pri-lab, a shell is a shell: LAVA starts one."""
        with open(os.path.join(REPO, 'contrib', 'Containerfile'),
                  encoding='utf-8') as f:
            self.assertIn('ENTRYPOINT ["tini", "--", "/lab/contrib/entry"]',
                          f.read())
        boot = next(a['boot'] for a in self.recipe('lava.yaml')['actions']
                    if 'boot' in a)
        self.assertIn(boot['command'], SHELLS)
        with tempfile.TemporaryDirectory() as lab:
            os.mkdir(os.path.join(lab, 'contrib'))
            entry = shutil.copy(os.path.join(REPO, 'contrib', 'entry'),
                                os.path.join(lab, 'contrib'))
            with open(os.path.join(lab, 'pri-lab'), 'w',
                      encoding='utf-8') as f:
                f.write('#!/bin/sh\necho "lab: $*"\n')
            os.chmod(f.name, 0o755)
            for args, want in ((['run', '-v'], 'lab: run -v'),
                               (['--help'], 'lab: --help'),
                               (['shell'], 'lab: shell'), ([], 'lab:'),
                               ([boot['command'], '-c', 'echo "a  b"'], 'a  b'),
                               (['bash', '-c', 'echo b'], 'b'),
                               (['/bin/echo', 'c'], 'c')):
                p = subprocess.run([entry] + args, text=True, check=False,
                                   stdout=subprocess.PIPE)
                self.assertEqual((p.returncode, p.stdout.strip()), (0, want))


if __name__ == '__main__':
    unittest.main()
