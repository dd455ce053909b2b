#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Run the front end's tests, or those of a directory, and speak TAP."""

import os
import sys
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
REPO = os.path.dirname(os.path.dirname(HERE))
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(REPO, 'scripts'), HERE]


class Tap(unittest.TestResult):
    """One TAP line a test."""

    def _name(self, test):
        return '/'.join(test.id().split('.')[:1] + test.id().split('.')[2:])

    def _point(self, word, test, note=''):
        print(f'{word} {self.testsRun} - {self._name(test)}{note}',
              flush=True)

    def addSuccess(self, test):
        self._point('ok', test)

    def addSkip(self, test, reason):
        self._point('ok', test, f' # SKIP {reason}')

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._point('not ok', test)
        for line in self._exc_info_to_string(err, test).splitlines():
            print(f'# {line}')

    def addError(self, test, err):
        super().addError(test, err)
        if hasattr(test, '_testMethodName'):
            self._point('not ok', test)
        else:                           # a module that cannot be loaded
            print(f'Bail out! {test.id()}')
        for line in self._exc_info_to_string(err, test).splitlines():
            print(f'# {line}')


if __name__ == '__main__':
    suite = unittest.defaultTestLoader.discover(
        sys.argv[1] if sys.argv[1:] else HERE, 'test_*.py')
    print(f'TAP version 13\n1..{suite.countTestCases()}', flush=True)
    result = Tap()
    suite.run(result)
    sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)
