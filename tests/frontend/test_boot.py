# SPDX-License-Identifier: GPL-2.0-or-later
"""The small guest that races and resets have, and one that does not boot."""

import argparse
import unittest
from unittest import mock

from pri_lab.core.errors import LabError
from pri_lab.machine import jobs, vm
from pri_lab.reproduce import runner


class Small(unittest.TestCase):
    def test_a_kernel_with_large_tables_has_more_memory(self):
        for append, want in (('', '320M'), ('pri_lab.lacks=sva', '320M'),
                             ('pri_lab.lacks=sva,small-pasid-table', '2G')):
            machine = vm.Machine('q', 'tcg', 'k', 'i', append)
            self.assertEqual(runner.small(machine)[:2], ['-m', want])

    def test_a_guest_that_does_not_boot_is_booted_once(self):
        said = mock.Mock(ktap=[], console=[
            '[ 1.2] Kernel panic - not syncing: no memory'])
        session = mock.Mock(out=said, **{'follow.return_value': 'off'})
        made = runner.Runner(argparse.Namespace(accel='tcg'), jobs.NONE, True,
                             '/x', None)
        with mock.patch.object(made, '_new', return_value=session) as new:
            for _ in range(2):
                with self.assertRaisesRegex(LabError, 'boot: Kernel panic .* '
                                            'no memory'):
                    made.booted()
        new.assert_called_once()
        session.close.assert_called_once()
        session.load.assert_not_called()


if __name__ == '__main__':
    unittest.main()
