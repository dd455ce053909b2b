# SPDX-License-Identifier: GPL-2.0-or-later
"""scripts/vmstate-shape.py: other fields are another version (MIG-05)."""
import contextlib
import importlib.util
import io
import os
import tempfile
import unittest
from unittest import mock

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
SPEC = importlib.util.spec_from_file_location(
    'vmstate_shape', os.path.join(REPO, 'scripts', 'vmstate-shape.py'))
shape = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(shape)


def field(name, size=4, **more):
    return {'field': name, 'version_id': 0, 'size': size, **more}


def described(version, *fields, subs=()):
    return {'name': 'x', 'version_id': version, 'minimum_version_id': version,
            'Fields': list(fields), 'Subsections': list(subs)}


def dumped(version, *fields, subs=()):
    return {name: {'Description': described(version, *fields, subs=subs)}
            for name in shape.DEVICES}


class Shapes(unittest.TestCase):
    def run_on(self, new, *args):
        """Exit status and what is said, with the page of self.page."""
        err = io.StringIO()
        with mock.patch.object(shape, 'dump', return_value=new), \
                mock.patch.object(shape, 'PAGE', self.page), \
                contextlib.redirect_stderr(err):
            return shape.main([*args, 'qemu']), err.getvalue()

    def setUp(self):
        d = tempfile.TemporaryDirectory()
        self.addCleanup(d.cleanup)
        self.page = os.path.join(d.name, 'page')
        self.a = field('a')
        self.s = field('s', Description=described(1, field('in', num=3)))
        self.old = dumped(2, self.a, self.s, subs=[described(1, field('c'))])
        self.assertEqual(self.run_on(self.old, '--write'), (0, ''))

    def test_the_same(self):
        self.assertEqual(self.run_on(self.old), (0, ''))

    def test_other_fields_under_the_same_version(self):
        sub = described(1, field('c'))
        inner = field('s', Description=described(1, field('in', num=4)))
        for new, word in (
                (dumped(2, self.a, self.s, field('b'), subs=[sub]), '+b 4'),
                (dumped(2, self.s, subs=[sub]), '-a 4'),
                (dumped(2, self.s, self.a, subs=[sub]), 'another order'),
                (dumped(2, field('a', 8), self.s, subs=[sub]), '+a 8'),
                (dumped(2, self.a, inner, subs=[sub]), '+in 4 x4'),
                (dumped(3, self.a, self.s, subs=[described(
                    1, field('d'))]), '+d 4')):
            for args in ((), ('--write',)):
                status, said = self.run_on(new, *args)
                self.assertEqual(status, 1, word)
                self.assertIn(word, said)
                self.assertIn('raise version_id', said)
        self.assertEqual(self.run_on(self.old), (0, ''))

    def test_another_version(self):
        new = dumped(3, self.a, subs=[described(1, field('c'))])
        status, said = self.run_on(new)
        self.assertEqual(status, 1)
        self.assertIn('--write', said)
        self.assertEqual(self.run_on(new, '--write'), (0, ''))
        self.assertEqual(self.run_on(new), (0, ''))

    def test_the_size_of_a_structure_is_the_compiler_s(self):
        self.s['size'] = 99
        self.assertEqual(self.run_on(self.old), (0, ''))


if __name__ == '__main__':
    unittest.main()
