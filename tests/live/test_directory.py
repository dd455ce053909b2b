# SPDX-License-Identifier: GPL-2.0-or-later
"""A directory of the host in a guest that boots."""

import os
import tempfile
import unittest

from lab import lab


class Share(unittest.TestCase):
    PROGRAM = '''\
#!/bin/sh
echo 1..2
read -r word < /tests/mine/in && echo "$word" > /tests/mine/out &&
    echo "ok 1 mine" || echo "not ok 1 mine"
cat /tests/theirs/in && ! echo x 2> /dev/null > /tests/theirs/out &&
    echo "ok 2 theirs" || echo "not ok 2 theirs"
'''

    def test_directories_of_the_host(self):
        """M10: one to be written, one not; a job in one."""
        with tempfile.TemporaryDirectory() as d:
            for name in ('mine', 'theirs'):
                os.mkdir(os.path.join(d, name))
                with open(os.path.join(d, name, 'in'), 'w',
                          encoding='utf-8') as f:
                    f.write('# word\n')
            program = os.path.join(d, 'mine', 'program')
            with open(program, 'w', encoding='utf-8') as f:
                f.write(self.PROGRAM)
            os.chmod(program, 0o755)
            status, out = lab('run', 'mine/program', '--share',
                              os.path.join(d, 'mine'), '--share',
                              os.path.join(d, 'theirs') + ':ro')
            self.assertEqual(status, 0, out)
            self.assertIn('PASS  2 passed', out)
            with open(os.path.join(d, 'mine', 'out'), encoding='utf-8') as f:
                self.assertEqual(f.read(), '# word\n')
            self.assertFalse(os.path.exists(os.path.join(d, 'theirs',
                                                         'out')))


if __name__ == '__main__':
    unittest.main()
