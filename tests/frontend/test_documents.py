# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands that the pages show are ones that there are: with their names,
options and arguments they get past what is looked at before a build."""
import os
import re
import shlex
import unittest
from unittest import mock

from pri_lab import cli
from pri_lab.core import ui
from pri_lab.core.errors import LabError
from pri_lab.inputs import check

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
LOG = 'docs/examples/overflow.jsonl'
# an indented line, up to what is said about it
_LINE = re.compile(r'^ {2,}(?:\$ |sudo |git bisect run )?(?:\S*/)?pri-lab '
                   r'(.+?)(?: {2,}.*| +#.*)?$')
_WORDS = re.compile(r'`\./pri-lab ([^`\n]+)`')
# what stands for a name, or is the reader's own
_OPEN = re.compile(r"\b[A-Z]{2,}\b(?![-\d])|~/|\./(?!pri-lab)|\.\.\.|[][|$&]"
                   r"|\bmore\.config|\bo-a\.tar\.gz|\bq\.log|\.hit\b"
                   r"|--kernel \.$")
_LEAST = 150                    # commands that are tried


def pages():
    for top in ('README.md', 'CONTRIBUTING.md', 'docs', 'guest', 'contrib'):
        path = os.path.join(REPO, top)
        if os.path.isfile(path):
            yield path
        for d, _, names in os.walk(path):
            yield from (os.path.join(d, n) for n in names
                        if n.endswith(('.md', '.rst')))


def commands(text):
    text = re.sub(r'\s*\\\n\s*', ' ', text)
    for line in text.split('\n'):
        m = _LINE.match(line)
        if m:
            yield m.group(1)
    yield from _WORDS.findall(text)


class Pages(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        here = os.getcwd()
        os.chdir(REPO)
        self.addCleanup(os.chdir, here)
        one = cli.parser()              # it takes long to make
        once = mock.patch.object(cli, 'parser', lambda: one)
        once.start()
        self.addCleanup(once.stop)

    def wrong(self, line):
        """What is wrong with a command, '' or None: it is not to be tried."""
        line = re.sub(r'\bLOG2?\b', LOG, line)
        if _OPEN.search(line):
            return None
        try:
            request = cli.parse(shlex.split(line))
            with mock.patch('pri_lab.dist.package.lacking', lambda: []):
                check.check(request, REPO, ui.UI(quiet=True))
        except LabError as e:
            return f'{e.what} {e.hint or ""}'
        except (SystemExit, ValueError) as e:
            return str(e)
        return ''

    def test_each_is_one(self):
        tried, bad = 0, []
        for path in pages():
            with open(path, encoding='utf-8') as f:
                for line in commands(f.read()):
                    said = self.wrong(line)
                    tried += said is not None
                    if said:
                        bad.append(f'{path}: pri-lab {line}: {said}')
        self.assertEqual(bad, [])
        self.assertGreater(tried, _LEAST)

    def test_a_wrong_one_is_seen(self):
        text = ('a\n    ./pri-lab run nosuch     # x\n\n`./pri-lab chekc`, '
                'or\n    $ ./pri-lab run --args a \\\n        --args nosuch\n')
        self.assertEqual(len(list(commands(text))), 3)
        for line in commands(text):
            self.assertTrue(self.wrong(line), line)


if __name__ == '__main__':
    unittest.main()
