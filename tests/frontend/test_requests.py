# SPDX-License-Identifier: GPL-2.0-or-later
"""What a command is asked for: the request that the command line makes is the
one that the modules below it read, to the last field."""

import dataclasses
import inspect
import os
import tempfile
import unittest
from unittest import mock

from pri_lab import cli
from pri_lab.commands import bench, shared
from pri_lab.core import cache, requests
from pri_lab.linux.kernel import Kernel
from pri_lab.machine import ready, vm
from pri_lab.own import anykernel
from pri_lab.reproduce import machines, runner

# commands that need a word more
WORDS = {n: [n, w] for n, w in (('timeline', 'x'), ('guest-test', 'x'),
                                ('completion', 'bash'))}
REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))


class Fields(unittest.TestCase):
    def test_all_are_defined_in_one_place_with_a_type(self):
        for name, module in cli.ALL.items():
            for f in dataclasses.fields(module.Request):
                self.assertNotIn('Any', str(f.type), f'{name}: {f.name}')
            with self.assertRaises(dataclasses.FrozenInstanceError):
                cli.parse(WORDS.get(name, [name])).jobs = 1

    def test_a_group_of_options_has_its_fields_in_requests(self):
        for name, group in inspect.getmembers(shared, inspect.isclass):
            if group.__module__ == shared.__name__:
                own = set(vars(group).get('__annotations__', ())) - {
                    'BUILDS', 'INTERRUPTED', 'ONE_EACH'}
                self.assertEqual(own, set(), name)


class Machines(unittest.TestCase):
    """Every command that boots a machine: nothing is asked of a request that
    it does not have."""

    def setUp(self):
        d = tempfile.TemporaryDirectory()
        self.addCleanup(d.cleanup)
        self.ctx = mock.MagicMock()
        self.ctx.paths = cache.Paths(REPO, d.name)
        self.ctx.logdir = d.name

    def test_a_runner_for_scenarios_of_steps(self):
        request = cli.parse(['explore', 'groups', '--depth', '2'])
        job = machines.Machines(self.ctx, request)
        job.machine = lambda name: vm.Machine('qemu', 'tcg', name, '')
        entry = next(e for e in job.entries if e.steps)
        made = job.runner('7.3', entry)
        self.assertIs(type(made), runner.Runner)
        self.assertIsNone(made.recording)

    def test_a_kernel_for_each(self):
        for words in (['explore', 'groups'], ['resets'], ['repro', 'C-01'],
                      ['run'], ['shell'], ['check']):
            request = cli.parse(words)
            self.assertIsInstance(request, requests.Machine, words)
            with mock.patch('pri_lab.linux.kernel.get', return_value=Kernel(
                    __file__, '/k', '7.3.4')):
                have = anykernel.have(self.ctx.paths, '7.3', request, 1, None,
                                      mock.Mock())
            self.assertFalse(have.own)

    def test_bench_boots(self):
        with mock.patch.object(ready, 'lab') as lab, \
                mock.patch.object(bench.boots, 'run') as run, \
                mock.patch.object(bench.guest_run, 'timeout'):
            bench.run(self.ctx, cli.parse(['bench', 'boots', '--load', '3',
                                           '--accel', 'tcg']))
        self.assertIs(lab.call_args[0][1], run.call_args[0][1])
        asked = run.call_args[0][1]
        self.assertIsInstance(asked, requests.Machine)
        self.assertEqual((asked.load, asked.runs, asked.accel, asked.config),
                         (3, -1, 'tcg', []))


if __name__ == '__main__':
    unittest.main()
