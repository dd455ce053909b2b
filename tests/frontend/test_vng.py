# SPDX-License-Identifier: GPL-2.0-or-later
import os
import shutil
import subprocess
import tempfile
import unittest

from pri_lab.core import cache

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
FRAGMENT = b'# a comment\nCONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C="x"\n'
# says what it was asked for; --kconfig FRAGMENT makes a configuration of it
VNG = b'''#!/bin/sh
echo "vng $*"
[ "$1" != --kconfig ] || cp "$3" .config
'''


class Wrapper(unittest.TestCase):
    def setUp(self):
        d = tempfile.TemporaryDirectory()
        self.addCleanup(d.cleanup)
        self.lab = os.path.join(os.path.realpath(d.name), 'lab')
        self.tree = os.path.join(os.path.realpath(d.name), 'linux')
        script = os.path.join(self.lab, 'scripts', 'vng-run.sh')
        os.makedirs(os.path.dirname(script))
        shutil.copy(os.path.join(REPO, 'scripts', 'vng-run.sh'), script)
        self.script = script
        for path, text in ((f'{self.lab}/guest/kernel/base.config', FRAGMENT),
                           (f'{self.lab}/pri-lab',
                            b'#!/bin/sh\necho "pri-lab $*"\n'),
                           (f'{self.lab}/vng', VNG),
                           (f'{self.tree}/Kconfig', b''),
                           (f'{self.tree}/Makefile', b'')):
            cache.write_atomic(path, text, 0o755)

    def run_it(self, *args, cwd=None, **env):
        return subprocess.run(
            [self.script, *args], cwd=cwd or self.tree, check=False,
            env={**os.environ, 'VNG': os.path.join(self.lab, 'vng'), **env},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            encoding='utf-8')

    def test_configure_build_run(self):
        out = self.run_it()
        self.assertEqual(out.stdout.splitlines(), [
            f'vng --kconfig --config {self.lab}/guest/kernel/base.config',
            'vng --build', f'pri-lab run sva-basic --kernel {self.tree}'])
        again = self.run_it('reset', '-v')
        self.assertEqual(again.stdout.splitlines(), [
            'vng --build', f'pri-lab run reset --kernel {self.tree} -v'])

    def test_configuration_that_lacks_something_is_made_anew(self):
        for text, env in ((b'CONFIG_C="x"\n', {}),
                          (FRAGMENT, {'VNG_CONFIG': 'force'})):
            cache.write_atomic(f'{self.tree}/.config', text)
            self.assertIn('--kconfig', self.run_it(**env).stdout)

    def test_refusals(self):
        out = self.run_it(cwd=self.lab)
        self.assertEqual(out.returncode, 2)
        self.assertIn('not in a Linux source tree', out.stdout)
        out = self.run_it(VNG='no-such-vng')
        self.assertEqual(out.returncode, 2)
        self.assertIn('apt-get install virtme-ng', out.stdout)
