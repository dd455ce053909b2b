# SPDX-License-Identifier: GPL-2.0-or-later
"""The descriptions for syzkaller are those of the headers."""

import importlib.util
import json
import os
import re
import unittest

REPO = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
HERE = os.path.join(REPO, 'contrib', 'syzkaller')


def load():
    spec = importlib.util.spec_from_file_location(
        'consts', os.path.join(HERE, 'consts.py'))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(*path):
    with open(os.path.join(*path), encoding='utf-8') as f:
        return f.read()


class Syzkaller(unittest.TestCase):
    def setUp(self):
        self.consts = load()
        self.text = read(HERE, 'dev_pri_testdev.txt')
        self.file = {m[0]: int(m[1]) for m in re.findall(
            r'^(\w+) = (\d+)$', read(HERE, 'dev_pri_testdev.txt.const'),
            re.M)}

    def test_every_constant_has_a_value(self):
        self.assertEqual(set(self.file), set(self.consts.names(self.text)))

    def test_ours_are_those_of_the_headers(self):
        ours = self.consts.values(self.consts.names(self.text))
        self.assertGreater(len(ours), 40)
        self.assertEqual(ours, {n: self.file[n] for n in ours})

    def test_every_ioctl_of_the_driver_is_described(self):
        header = read(REPO, 'guest', 'driver', 'pri_testdev.h')
        for name in set(re.findall(r'define (PRI_TESTDEV_IOC_\w+)', header)):
            self.assertIn(f'const[{name}]', self.text)

    def test_structures_have_the_fields_of_the_header(self):
        header = read(REPO, 'guest', 'driver', 'pri_testdev.h')
        for name, body in re.findall(r'struct (pri_testdev_\w+) \{(.*?)\n\}',
                                     header, re.S):
            fields = re.findall(r'(\w+)(?:\[\d+\])?;', re.sub(
                r'/\*.*?\*/', '', body, flags=re.S))
            mine = re.search(rf'^{name} \{{\n(.*?)^\}}', self.text,
                             re.M | re.S).group(1)
            self.assertEqual(re.findall(r'^\t(\w+)', mine, re.M), fields,
                             name)

    def test_what_is_enabled_is_described(self):
        cfg = json.loads(read(HERE, 'pri-lab.cfg'))
        for pattern in cfg['enable_syscalls']:
            if 'pri_testdev' in pattern.lower() or 'fault' in pattern:
                self.assertIn(pattern.rstrip('*'), self.text)
        for device in ('pri-root-port', 'pri-testdev', 'intel-iommu'):
            self.assertIn(device, cfg['vm']['qemu_args'])


if __name__ == '__main__':
    unittest.main()
