# SPDX-License-Identifier: GPL-2.0-or-later
"""The container file and the CI recipes name commands that exist."""

import contextlib
import glob
import io
import os
import re
import shlex
import unittest

from pri_lab import cli

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
FILES = sorted(glob.glob(os.path.join(REPO, 'contrib', '**', '*'),
                         recursive=True))


def commands(text):
    """The arguments of every line that calls ./pri-lab, or the image."""
    text = re.sub(r'\\\n#?', ' ', text)         # lines that go on
    for line in text.splitlines():
        m = re.search(r'(?:\./pri-lab|podman run .* pri-lab)\s+([a-z].*)',
                      line)
        if m:
            yield shlex.split(re.split(r'[`"\]]', m.group(1))[0])


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

    def test_one_list_of_packages(self):
        """The image installs what `./pri-lab packages` says, no copy of it."""
        with open(os.path.join(REPO, 'contrib', 'Containerfile'),
                  encoding='utf-8') as f:
            text = f.read()
        self.assertIn('RUN ./pri-lab packages', text)
        self.assertNotIn('libglib2.0-dev', text)


if __name__ == '__main__':
    unittest.main()
