# SPDX-License-Identifier: GPL-2.0-or-later
"""A headless Chromium that a test talks to over a pair of pipes.

The DevTools protocol: JSON messages that end with a zero byte, on descriptor 3
to the browser and on 4 from it.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

from pri_lab.core.owntime import OwnTime

NAMES = ('chromium', 'chromium-browser', 'google-chrome')
SECONDS = 90.0                  # of the browser's own time, for one answer


def find():
    """Path of a browser, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One page; a with statement ends it."""

    def __init__(self, width=1400, height=900):
        self._dir = tempfile.TemporaryDirectory()
        to_read, self._to = os.pipe()
        self._from, from_write = os.pipe()
        # the numbers 3 and 4 may be taken: go through high ones
        high = [os.dup(os.dup2(fd, 200 + n))
                for n, fd in enumerate((to_read, from_write))]

        def move():
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        self._p = subprocess.Popen(
            [find(), '--headless=new', '--no-sandbox', '--disable-gpu',
             '--remote-debugging-pipe', '--no-first-run',
             '--disable-dev-shm-usage', f'--window-size={width},{height}',
             f'--user-data-dir={self._dir.name}', 'about:blank'],
            preexec_fn=move, pass_fds=[3, 4] + high,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        for fd in [to_read, from_write, 200, 201] + high:
            os.close(fd)
        self._rest = b''
        self._id = 0
        self.errors = []        # exceptions and errors of the page's script
        self.requests = []      # what it fetched
        self._session = None
        try:
            target = next(t for t in self.call('Target.getTargets')[
                'targetInfos'] if t['type'] == 'page')
            self._session = self.call('Target.attachToTarget', flatten=True,
                                      targetId=target['targetId'])['sessionId']
            for domain in ('Page', 'Runtime', 'Network', 'Log'):
                self.call(domain + '.enable')
            self.call('Emulation.setDeviceMetricsOverride', width=width,
                      height=height, deviceScaleFactor=1, mobile=False)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self._p.kill()
        self._p.wait()
        os.close(self._to)
        os.close(self._from)
        for _ in range(20):             # its children end a little later
            try:
                self._dir.cleanup()
                return
            except OSError:
                time.sleep(0.1)

    def call(self, method, **params):
        """The result of one command; events on the way are looked at."""
        self._id += 1
        message = {'id': self._id, 'method': method, 'params': params}
        if self._session:
            message['sessionId'] = self._session
        data = json.dumps(message).encode() + b'\0'
        while data:
            data = data[os.write(self._to, data):]
        while True:
            answer = self._next()
            if answer.get('id') == self._id:
                if 'error' in answer:
                    raise RuntimeError(f'{method}: {answer["error"]}')
                return answer['result']
            self._event(answer)

    def _next(self):
        own = None
        while b'\0' not in self._rest:
            if not select.select([self._from], [], [], 1.0)[0]:
                own = own or OwnTime(self._p.pid)
                if own.look() > SECONDS:
                    raise RuntimeError('the browser does not answer')
                continue
            data = os.read(self._from, 1 << 16)
            if not data:
                raise RuntimeError('the browser has ended')
            self._rest += data
        one, self._rest = self._rest.split(b'\0', 1)
        return json.loads(one)

    def _event(self, message):
        method, params = message.get('method'), message.get('params', {})
        if method == 'Runtime.exceptionThrown':
            d = params['exceptionDetails']
            self.errors.append(d.get('exception', {}).get('description',
                                                          d['text']))
        elif method == 'Log.entryAdded' and \
                params['entry']['level'] == 'error':
            self.errors.append(params['entry']['text'])
        elif method == 'Network.requestWillBeSent':
            self.requests.append(params['request']['url'])

    def open(self, path, fragment=''):
        """Load a page of ours and wait until its script has started."""
        url = 'file://' + os.path.abspath(path)
        self.call('Page.navigate', url='about:blank')
        self.call('Page.navigate', url=url + fragment)
        self.wait('document.documentElement?.dataset.ready === "yes"')

    def wait(self, expression):
        own = OwnTime(self._p.pid)
        while not self.js(expression):
            if own.look() > SECONDS or self.errors:
                raise RuntimeError(f'never true: {expression} {self.errors}')
            time.sleep(0.05)

    def js(self, expression):
        """Value of an expression, of a promise too."""
        out = self.call('Runtime.evaluate', expression=expression,
                        returnByValue=True, awaitPromise=True)
        if 'exceptionDetails' in out:
            raise RuntimeError(f'{expression}: {out["exceptionDetails"]}')
        return out['result'].get('value')

    def key(self, key, text=None):
        """Press a key as a user does."""
        text = text if text is not None else key if len(key) == 1 else ''
        self.call('Input.dispatchKeyEvent', type='keyDown', key=key,
                  text=text)
        self.call('Input.dispatchKeyEvent', type='keyUp', key=key)

    def mouse(self, kind, x, y, **more):
        self.call('Input.dispatchMouseEvent', type=kind, x=x, y=y, **more)

    def click(self, x, y):
        for kind in ('mousePressed', 'mouseReleased'):
            self.mouse(kind, x, y, button='left', clickCount=1)

    def frame(self):
        """Until what was asked for is drawn."""
        self.js('new Promise(r => requestAnimationFrame(() => '
                'requestAnimationFrame(() => r(1))))')

    def screenshot(self, path):
        with open(path, 'wb') as f:
            f.write(base64.b64decode(self.call(
                'Page.captureScreenshot', format='png')['data']))

    def pdf(self):
        return base64.b64decode(self.call(
            'Page.printToPDF', landscape=True, printBackground=True)['data'])
