# SPDX-License-Identifier: GPL-2.0-or-later
"""Deaths of mutants as data of the repository (scripts/mutants/kept.py)."""

import collections
import os
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', '..', 'scripts', 'mutants'))

import kept  # noqa: E402

Mutant = collections.namedtuple('Mutant', 'number file')


def mutants(**files):
    """a=3, b=2: five mutants, numbered from 1."""
    names = [f'{name}.c' for name, n in files.items() for _ in range(n)]
    return [Mutant(i + 1, name) for i, name in enumerate(names)]


class Kept(unittest.TestCase):
    def setUp(self):
        d = tempfile.TemporaryDirectory()
        self.addCleanup(d.cleanup)
        self.path = os.path.join(d.name, 'mutants.json')

    def keep(self, digests, every, tried, killed):
        return kept.keep(self.path, digests, every, tried, killed)

    def test_they_are_found_by_their_place_in_the_file(self):
        self.keep({'a.c': 'A', 'b.c': 'B'}, mutants(a=3, b=2), {1, 2, 3, 4, 5},
                  {2: '/t/one', 4: '/t/two'})
        # the first file has another mutant now: numbers of b.c have moved
        got = kept.known(self.path, {'a.c': 'other', 'b.c': 'B'},
                         mutants(a=4, b=2))
        self.assertEqual(got, {5: '/t/two'})

    def test_another_text_begins_anew(self):
        every = mutants(a=2)
        self.keep({'a.c': 'A'}, every, {1, 2}, {1: '/t'})
        self.assertEqual(kept.known(self.path, {'a.c': 'B'}, every), {})
        self.assertEqual(self.keep({'a.c': 'B'}, every, set(), {}), 0)
        self.assertEqual(kept.known(self.path, {'a.c': 'A'}, every), {})

    def test_a_later_campaign_adds(self):
        every = mutants(a=3)
        self.keep({'a.c': 'A'}, every, {1}, {1: '/t'})
        self.assertEqual(self.keep({'a.c': 'A'}, every, {2, 3}, {3: '/u'}), 2)
        self.assertEqual(kept.known(self.path, {'a.c': 'A'}, every),
                         {1: '/t', 3: '/u'})

    def test_nothing_is_kept_yet(self):
        self.assertEqual(kept.known(self.path, {'a.c': 'A'}, mutants(a=1)), {})


if __name__ == '__main__':
    unittest.main()
