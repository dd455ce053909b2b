# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/terms.md: the words that are not used are not."""
import os
import re
import unittest

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
TERMS = os.path.join('docs', 'terms.md')
# what is not ours, and texts that belong to what is built
OTHERS = (os.path.join('guest', 'kernel', 'bugs'), 'patches', 'LICENSE', '.git')
QUOTED = {os.path.join('tests', 'frontend', 'test_boots.py'):
          'a line of Linux',
          os.path.join('scripts', 'pri_lab', 'bench', 'bench.py'):
          'a key of its JSON'}
TEXT = ('.c', '.h', '.py', '.md', '.rst', '.txt', '.sh', '.js', '.toml')


def not_used(page):
    """The words of the table; a row with a remark in brackets is about one
    meaning alone."""
    table = page.split('## Words that are not used', 1)[1]
    for row in re.findall(r'^\| ([^|]+?) \| [^|]+ \|$', table, re.M)[1:]:
        if '(' not in row:
            yield from row.split(', ')


def pattern(words):
    some = '|'.join(re.escape(w) for w in words)
    return re.compile(rf'\b({some})(s|ed|ing)?\b', re.I)


class Terms(unittest.TestCase):
    def test_words_of_the_table(self):
        words = list(not_used('x\n## Words that are not used\n\n'
                              '| not | but |\n|---|---|\n| mend | fix |\n'
                              '| turn over (a bit) | flip |\n| a b, c | d |\n'))
        self.assertEqual(words, ['mend', 'a b', 'c'])
        found = pattern(words).findall('It mends, A B and ac; amend')
        self.assertEqual([f[0] for f in found], ['mend', 'A B'])

    def test_they_are_not_used(self):
        with open(os.path.join(REPO, TERMS), encoding='utf-8') as f:
            words = list(not_used(f.read()))
        self.assertGreater(len(words), 5)
        look = pattern(words)
        seen, bad = 0, []
        for top, dirs, files in os.walk(REPO):
            here = os.path.relpath(top, REPO)
            dirs[:] = [d for d in dirs
                       if os.path.normpath(os.path.join(here, d))
                       not in OTHERS and d != '__pycache__']
            for name in files:
                path = os.path.normpath(os.path.join(here, name))
                if not name.endswith(TEXT) or path in QUOTED or \
                        path in (TERMS, os.path.relpath(__file__, REPO)):
                    continue
                with open(os.path.join(top, name), encoding='utf-8') as f:
                    seen += 1
                    bad += [f'{path}:{n}: {m.group()}'
                            for n, line in enumerate(f, 1)
                            for m in look.finditer(line)]
        self.assertGreater(seen, 400)
        self.assertEqual(bad, [])


if __name__ == '__main__':
    unittest.main()
