# SPDX-License-Identifier: GPL-2.0-or-later
"""What a scenario calls a leak (kept.c and allocs.c of tests/guest/lib), without
a guest: the rules are compiled here and see files that this test writes."""

import os
import subprocess
import tempfile
import unittest

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))

LIB = os.path.join(REPO, 'tests', 'guest', 'lib')
MAIN = '''
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "allocs.h"
#include "kept.h"
#include "race.h"
void race_sign(const char *name, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    printf("%s: ", name);
    vprintf(fmt, ap);
    puts("");
    va_end(ap);
}
bool race_write(const char *path, const char *text)
{
    return false;
}
void ktap_note(const char *fmt, ...)
{
    puts("note");
}
void ktap_fail(const char *file, int line, const char *fmt, ...)
{
    printf("FAIL %s\\n", fmt);
    exit(2);
}
int main(int argc, char **argv)
{
    kept_before();
    allocs_before();
    if (system(argv[1])) {
        return 3;
    }
    kept_after(atoi(argv[2]));
    allocs_after();
    return 0;
}
'''
QUIET = ('0000:01:00.0 users=1 groups=0 partial=0 handles=1 held=0 attached=1 '
         'refs=12\n')
VFIO = QUIET.replace('held=0 attached=1', 'held=- attached=-')
OLD = QUIET.replace('users=1 groups=0 partial=0', 'users=- groups=- partial=-')


def write(path, text):
    with open(path, 'w', encoding='ascii') as f:
        f.write(text)


class Rules(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.top = tempfile.TemporaryDirectory()
        for name in ('kept', 'groups', 'allocinfo', 'switch', 'program',
                     'main.c'):
            setattr(cls, name.partition('.')[0],
                    os.path.join(cls.top.name, name))
        write(cls.main, MAIN)
        for group in ('0', '1'):
            os.makedirs(os.path.join(cls.groups, group, 'devices', 'x'))
        subprocess.run(
            ['cc', '-std=gnu11', *('-I' + os.path.join(REPO, d) for d in (
                'tests/guest/lib', 'include', 'guest/driver')),
             f'-DKEPT="{cls.kept}"', f'-DGROUPS="{cls.groups}"',
             f'-DALLOCINFO="{cls.allocinfo}"',
             f'-DSWITCH="{cls.switch}"', '-o', cls.program, cls.main,
             os.path.join(LIB, 'kept.c'), os.path.join(LIB, 'allocs.c')],
            check=True)

    @classmethod
    def tearDownClass(cls):
        cls.top.cleanup()

    def run_program(self, between, waiting=0):
        """Names of the signs, if that is done between the two looks"""
        out = subprocess.run(
            [self.program, between, str(waiting)], stdout=subprocess.PIPE,
            check=True, universal_newlines=True).stdout
        return [line.partition(':')[0] for line in out.splitlines()]


class Kept(Rules):
    def signs(self, before, after, waiting=0, removed=0, more='true'):
        """If one became the other"""
        then = os.path.join(self.top.name, 'then')
        write(self.kept, f'{before}removed=0\n')
        write(then, f'{after}removed={removed}\n')
        return self.run_program(f'cp {then} {self.kept}; {more}', waiting)

    def changed(self, old, new, line=QUIET, **more):
        self.assertIn(old, line)
        return self.signs(line, line.replace(old, new), **more)

    def test_nothing(self):
        self.assertEqual(self.signs(QUIET, QUIET), [])
        self.assertEqual(self.signs(VFIO, VFIO), [])
        self.assertEqual(self.changed('refs=12', 'refs=11'), [])
        self.assertEqual(self.changed('handles=1 held=0 attached=1',
                                      'handles=0 held=0 attached=0'), [])

    def test_a_group_without_an_answer(self):
        self.assertEqual(self.changed('users=1 groups=0', 'users=2 groups=1'),
                         ['leak-group'])

    def test_a_group_that_is_freed_and_has_its_reference(self):
        self.assertEqual(self.changed('users=1', 'users=2'), ['leak-group'])

    def test_a_group_that_a_file_holds(self):
        # on the function's list, and off it (since 7.2)
        self.assertEqual(
            self.changed('users=1 groups=0 partial=0 handles=1 held=0',
                         'users=2 groups=1 partial=0 handles=1 held=1'), [])
        self.assertEqual(
            self.changed('users=1 groups=0 partial=0 handles=1 held=0',
                         'users=2 groups=0 partial=0 handles=1 held=1'), [])

    def test_a_group_that_iommufd_holds(self):
        words = ('users=1 groups=0', 'users=2 groups=1', VFIO)
        self.assertEqual(self.changed(*words, waiting=1), [])
        self.assertEqual(self.changed(*words, waiting=0), ['leak-group'])

    def test_no_fault_data(self):
        self.assertEqual(self.changed('users=1', 'users=0'), [])

    def test_half_a_group(self):
        self.assertEqual(self.changed('partial=0', 'partial=1'),
                         ['leak-partial'])

    def test_a_handle(self):
        self.assertEqual(self.changed('attached=1', 'attached=0'),
                         ['leak-handle'])
        self.assertEqual(self.changed('handles=1', 'handles=2', VFIO), [])

    def test_references_to_a_device(self):
        self.assertEqual(self.changed('refs=12', 'refs=13'), ['leak-device'])
        self.assertEqual(self.signs(QUIET, QUIET.replace('01:', '02:')
                                    .replace('refs=12', 'refs=99')), [])

    def test_references_of_another_driver(self):
        more = QUIET.replace('refs=12', 'refs=15')
        self.assertEqual(self.signs(VFIO, more), [])
        self.assertEqual(self.signs(QUIET, more), ['leak-device'])

    def test_more_functions_than_there_is_room(self):
        write(self.kept, QUIET * 65 + 'removed=0\n')
        with self.assertRaises(subprocess.CalledProcessError) as e:
            self.run_program('true')
        self.assertEqual(e.exception.stdout,
                         'FAIL more than %u functions in ' + self.kept + '\n')

    def test_a_device_that_is_not_released(self):
        self.assertEqual(self.signs(QUIET, '', removed=1), ['leak-device'])

    def test_an_iommu_group_without_a_device(self):
        left = os.path.join(self.groups, '7', 'devices')
        self.assertEqual(
            self.signs(QUIET, QUIET, more=f'mkdir -p {left}'),
            ['leak-iommu-group'])
        os.removedirs(left)

    def test_an_old_kernel(self):
        self.assertEqual(self.signs(OLD, OLD), [])
        self.assertEqual(self.changed('handles=1', 'handles=-', OLD), [])


GROUP = ('{0:12} {1:8} drivers/iommu/io-pgfault.c:74 func:iopf_group_alloc\n')
TABLE = ('{0:12} {1:8} drivers/iommu/iommufd/main.c:62 [iommufd] '
         'func:_iommufd_object_alloc\n')
CACHE = '{0:12} {1:8} drivers/iommu/iova.c:575 func:iova_magazine_alloc\n'
OTHER = '{0:12} {1:8} mm/slub.c:100 func:alloc_slab_obj_exts\n'
HEADER = 'allocinfo - version: 2.0\n#     <size>  <calls> <tag info>\n'


class Memory(Rules):
    def setUp(self):
        write(self.kept, QUIET + 'removed=0\n')

    def signs(self, before, after):
        then = os.path.join(self.top.name, 'then')
        write(self.allocinfo, HEADER + before)
        write(then, HEADER + after)
        return self.run_program(f'cp {then} {self.allocinfo}')

    def test_more(self):
        self.assertEqual(self.signs(GROUP.format(192, 1), GROUP.format(384, 2)),
                         ['leak-in-iopf_group_alloc'])
        self.assertEqual(self.signs(TABLE.format(192, 1), TABLE.format(384, 2)),
                         ['leak-in-_iommufd_object_alloc'])

    def test_a_kernel_of_a_copy_of_the_source(self):
        line = GROUP.replace('drivers', '/x/bug-y.src/drivers')
        self.assertEqual(self.signs(line.format(192, 1), line.format(384, 2)),
                         ['leak-in-iopf_group_alloc'])

    def test_as_many_or_fewer(self):
        self.assertEqual(self.signs(GROUP.format(192, 1), GROUP.format(192, 1)),
                         [])
        self.assertEqual(self.signs(GROUP.format(384, 2), GROUP.format(0, 0)),
                         [])

    def test_larger_is_not_more(self):
        self.assertEqual(self.signs(GROUP.format(192, 1), GROUP.format(999, 1)),
                         [])

    def test_a_place_that_was_not_there(self):
        self.assertEqual(
            self.signs(GROUP.format(0, 0), GROUP.format(0, 0)
                       + TABLE.format(9, 1)),
            ['leak-in-_iommufd_object_alloc'])

    def test_another_order(self):
        both = GROUP.format(1, 1) + TABLE.format(2, 2)
        self.assertEqual(
            self.signs(both, TABLE.format(2, 2) + GROUP.format(1, 1)), [])

    def test_what_is_not_looked_at(self):
        for line in (CACHE, OTHER):
            self.assertEqual(self.signs(GROUP.format(0, 0) + line.format(1, 1),
                                        GROUP.format(0, 0) + line.format(2, 2)),
                             [])

    def test_a_kernel_that_does_not_count(self):
        if os.path.exists(self.allocinfo):
            os.remove(self.allocinfo)
        self.assertEqual(self.run_program('true'), [])

    def test_a_kernel_that_could_count_says_so(self):
        if os.path.exists(self.allocinfo):
            os.remove(self.allocinfo)
        write(self.switch, '0')
        self.assertEqual(self.run_program('true'), ['note'])
        os.remove(self.switch)


if __name__ == '__main__':
    unittest.main()
