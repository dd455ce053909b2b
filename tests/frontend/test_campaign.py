# SPDX-License-Identifier: GPL-2.0-or-later
"""explore: a campaign, its figures, and what it tells"""
import json
import os
import tempfile
import unittest
import unittest.mock
from types import SimpleNamespace

import fakestage
from pri_lab.core.errors import LabError
from pri_lab.explore import (campaign, command, found, hit, machine, measure,
                             oracle, plan, same, search, straight, trace)
from pri_lab.explore.machine import Run
from pri_lab.explore.plan import Plan, parse
from pri_lab.races import race

UAF = 'KASAN: slab-use-after-free in release'


class Campaign(fakestage.Campaigns):
    """From the first schedule to its end, with a machine that is none."""

    def test_a_hit_is_shrunk_replayed_and_kept(self):
        stage = fakestage.Stage()
        c = self.go(stage, runs=60)
        self.assertEqual([h.sign for h in c.hits], [UAF])
        self.assertRegex(c.hits[0].plan, r'^order=(0123|3210) at=1:21$')
        self.assertEqual(c.hits[0].replay, [7, 7])
        self.assertEqual(c.hits[0].ways, 1)
        path = next(x for x in self.said if 'again:' in x).split()[-1]
        self.assertEqual(hit.load(path).plan, c.hits[0].plan)
        self.assertEqual(c.state.runs, 60)

    def test_one_plan_is_shrunk_and_searches_stay_as_they_are(self):
        before = self.go(fakestage.Stage(), runs=40)
        c = self.go(fakestage.Stage(), runs=1, known=True,
                    only=parse('order=3120 at=3:4 at=1:21>2 at=2:90'))
        self.assertEqual([h.plan for h in c.hits], ['order=0123 at=1:21'])
        self.assertEqual((c.state.runs, c.hits[0].replay), (1, [7, 7]))
        after = self.campaign()
        self.assertTrue(after.state.load('k'))
        self.assertEqual(after.state.runs, before.state.runs)
        c = self.go(fakestage.Stage(), runs=1, known=True,
                    only=parse('order=0123'))
        self.assertEqual(c.hits, [])

    def test_a_panic_is_a_hit_like_others(self):
        """The machine is off at an instruction: it has a hash, and no length
        that a limit could be learnt from."""
        stage, run = fakestage.Stage(), fakestage.Stage.run

        def panics(plan, traced=True):
            r = run(stage, plan, traced)
            return r._replace(end='off', ktap=[], console=r.console + [
                'Kernel panic - not syncing: Fatal exception'],
                report=dict(r.report, instructions=10 ** 6)) \
                if r.console else r
        stage.run = panics
        c = self.go(stage, runs=60)
        self.assertEqual([(h.sign, h.replay, h.ways) for h in c.hits],
                         [(UAF, [7, 7], 1)])
        self.assertLess(c.state.longest, 10 ** 6)

    def test_a_hit_of_random_slices_gets_points(self):
        stage, run = fakestage.Stage(), fakestage.Stage.run

        def slices(plan, traced=True):
            """Those with the hit are a run of points, as the machine tells"""
            if not straight.is_random(plan):
                return run(stage, plan, traced)
            r = run(stage, parse('order=3210 at=2:3 at=1:21 at=3:9'))
            records = []
            for x in r.records:
                if records and x.actor != records[-1].actor:
                    records.append(x._replace(
                        kind=trace.SWITCH, icount=x.icount - 1))
                records.append(x)
            return r._replace(plan=plan, records=records)
        stage.run = slices
        c = self.go(stage, runs=3)
        self.assertEqual(c.hits[0].found, 2)
        self.assertRegex(c.hits[0].plan,
                         r'^order=(0123|3210)( at=i\d+(>\d)?){1,2}$')
        self.assertEqual(c.hits[0].replay, [7, 7])

    def test_random_slices_stay_if_points_do_not_have_it(self):
        stage, run = fakestage.Stage(), fakestage.Stage.run
        stage.run = lambda plan, traced=True: run(
            stage, parse('order=0123 at=1:21') if straight.is_random(plan)
            else Plan('0123'), traced)._replace(plan=plan)
        c = self.go(stage, runs=3)
        self.assertRegex(c.hits[0].plan, r'^(order=\d+ )?rand=\d+:500:100000$')

    def test_a_kept_boot_is_of_its_command_line(self):
        stage = machine.Stage.__new__(machine.Stage)
        path = os.path.join(self.dir.name, 'x')
        with open(path, 'w', encoding='utf-8') as f:
            f.write('x')
        stage.machine = SimpleNamespace(kernel=path, initrd=path, qemu=path,
                                        append='')
        stage.wants, stage.focus = SimpleNamespace(key=lambda: ''), ''
        before = stage.key()
        for name, value in (('_WORDS', 'quiet'), ('_EXTRA', ['-m', '1G'])):
            with unittest.mock.patch.object(machine, name, value):
                self.assertNotEqual(stage.key(), before)

    def test_one_plan_says_what_came_of_it(self):
        for fixed, wants in ((False, f'  {UAF}'), (True, '  nothing is wrong')):
            out = []
            good = campaign.one(fakestage.Stage(fixed=fixed),
                                parse('order=0123 at=1:21'), out.append)
            self.assertEqual(good, fixed)
            self.assertIn(wants, out)

    def test_results_for_programs(self):
        c = self.go(fakestage.Stage(), runs=60)
        got = found.search(c)
        self.assertEqual((got['scenario'], got['schedules'], got['why']),
                         ('close', 60, ''))
        self.assertEqual(got['pairs'], [len(c.state.coverage.seen),
                                        c.state.coverage.total])
        self.assertEqual([x['sign'] for x in got['signs']], [UAF])
        one = got['hits'][0]
        self.assertEqual((one['sign'], one['plan'], one['hashes']),
                         (UAF, c.hits[0].plan, 1))
        self.assertEqual(hit.load(one['file']).plan, one['plan'])
        self.assertIn('release+0x4', one['points'][0])
        self.assertEqual(found.search(c, 'no kernel')['why'], 'no kernel')

    def test_the_limit_is_of_runs_that_ended(self):
        """From the first one on: one that is stuck costs all of it."""
        stage, run = fakestage.Stage(fixed=True), fakestage.Stage.run
        stage.run = lambda *a, **k: run(stage, *a, **k)._replace(end='limit')
        c = self.go(stage, runs=3)
        self.assertEqual(stage.longest, 0)
        stage = fakestage.Stage(fixed=True)
        c = self.go(stage, runs=1)
        self.assertEqual(stage.longest, c.state.longest)
        self.assertGreater(c.state.longest, 0)
        real = machine.Stage.__new__(machine.Stage)
        for longest, limit in ((1, machine.LEAST), (80_000_000, 320_000_000),
                               (350_000_000, 700_000_000),
                               (200_000_000, machine.LIMIT),
                               (0, machine.LIMIT)):
            real.learn_limit(longest)
            self.assertEqual(real.limit, limit)
        self.assertIn(f'limit={machine.LIMIT}', real._text(Plan('01')))

    def stuck(self, ends):
        """A machine with a CPU that is somewhere else at each limit; ends: what
        a run is that has all the time."""
        stage, run = fakestage.Stage(fixed=True), fakestage.Stage.run

        def stuck(plan, traced=True):
            done = run(stage, plan, traced)
            if plan.limited:
                return done._replace(**ends)
            return done._replace(end='limit', ktap=[], stuck=[
                f'place{stage.runs % 3}+0x2'])
        stage.run = stuck
        return stage

    def test_a_stuck_cpu_gets_the_time_to_say_where(self):
        log = ['NMI backtrace for cpu 2', 'RIP: 0010:qi_submit_sync+0x245/0x2']
        ktap = [race.LOG + x for x in ['Sending NMI from CPU 0 to CPUs 1-3:']
                + log] + [race.STUCK + ' no end after 3 seconds']
        c = self.go(self.stuck(dict(ktap=ktap)), runs=9)
        self.assertEqual([h.sign for h in c.hits], ['hang in qi_submit_sync'])
        self.assertIn(f'limit={machine.FIRST}', c.hits[0].plan)
        self.assertEqual([n for n, *_ in c.state.signs.values()], [3, 3, 3, 3])

    def test_a_cpu_that_was_only_slow_is_no_hit(self):
        stage = self.stuck({})
        c = self.go(stage, runs=9)
        self.assertEqual(c.hits, [])
        self.assertEqual([n for n, *_ in c.state.signs.values()], [3, 3, 3])
        self.assertEqual(stage.runs, 9 + 3)     # each place once

    def test_ctrl_c_meanwhile_leaves_the_plan_to_resume(self):
        stage = self.stuck(dict(end='lost'))
        c = self.campaign(runs=3)
        c._begin(stage)
        plan = c._next()
        run = stage.run(plan)
        c.stop = True
        c.account(plan, run, stage)
        self.assertEqual((c.state.open, c.state.runs), ([str(plan)], 0))
        c.stop = False
        c.account(plan, run, stage)     # a slow machine makes no other sign
        self.assertEqual((c.state.open, c.state.led, c.lost), ([], [], 1))

    def test_a_run_that_had_all_the_time_is_made_once(self):
        stage = self.stuck({})
        stage.limit = machine.FIRST
        c = self.campaign(runs=1)
        c._begin(stage)
        plan = c._next()
        self.assertIsNone(c._to_its_end(plan, stage.run(plan), stage))

    def test_one_that_is_stuck_for_good_is_where_it_is(self):
        c = self.go(self.stuck(dict(end='limit', ktap=[], stuck=['f+0x1'])),
                    runs=1)
        self.assertEqual([h.sign.partition(' in ')[0] for h in c.hits],
                         [oracle.STUCK])
        self.assertNotIn('limit', c.hits[0].plan)

    def test_it_ends_when_nothing_new_is_covered(self):
        c = self.go(fakestage.Stage(fixed=True))
        self.assertEqual(c.hits, [])
        self.assertLess(c.state.runs, campaign.RUNS)
        self.assertGreaterEqual(c.state.runs, search.WINDOW)
        self.assertIn('flat', c.summary())
        more = self.go(fakestage.Stage(fixed=True), runs=c.state.runs + 50)
        self.assertEqual(more.state.runs, c.state.runs + 50)

    def test_what_a_search_leaves_is_for_the_others(self):
        now = [100.0]
        b = command.Budget(30, 3, lambda: now[0])
        self.assertEqual(b.share(), 10)
        now[0] += 4 * 60                    # it was flat
        self.assertEqual(b.share(), 13)
        now[0] += 40 * 60                   # a hit was shrunk for long
        self.assertGreater(b.share(), 0)
        self.assertEqual(command.Budget(0, 3).share(), 0)

    def test_resume_goes_on_and_repeats_no_plan(self):
        stage = fakestage.Stage(fixed=True)
        first = self.go(stage, runs=40)
        second = self.go(stage, runs=70, resume=True)
        self.assertEqual((first.state.runs, second.state.runs), (40, 70))
        self.assertGreaterEqual(len(second.state.coverage.seen),
                                len(first.state.coverage.seen))
        with_points = [x for x in second.state.tried if 'at=' in x]
        keys = [plan.parse(x).key() for x in with_points]
        self.assertEqual(len(set(keys)), len(keys))
        self.assertEqual(second.state.tried,
                         self.go(stage, runs=70).state.tried)
        # of other bytes nothing is taken over
        third = self.go(fakestage.Stage(fixed=True, key='new'), runs=10,
                        resume=True)
        self.assertEqual(third.state.runs, 10)

    def cut(self, stage, when, **options):
        """A search that is interrupted once when() says so, of a plan."""
        run = stage.run

        def until(plan, traced=True):
            if when(plan, traced):
                raise KeyboardInterrupt
            return run(plan, traced)
        stage.run = until
        with self.assertRaises(KeyboardInterrupt):
            self.go(stage, **options)
        stage.run = run

    def test_resume_after_an_interrupted_run_is_the_same_search(self):
        stage = fakestage.Stage(fixed=True)
        whole = self.go(stage, runs=70).state
        for at in (3, 33, 40):
            start = stage.runs
            self.cut(stage, lambda *_: stage.runs == start + at, runs=70)
            again = self.go(stage, runs=70, resume=True)
            self.assertEqual(stage.runs - start, 70)
            self.assertEqual(again.state.tried, whole.tried)
            self.assertEqual(again.state.coverage.seen, whole.coverage.seen)
            self.assertEqual((again.state.open, again.state.left), ([], []))

    def test_resume_finishes_a_hit(self):
        whole = self.go(fakestage.Stage(), runs=60)
        stage = fakestage.Stage()
        self.cut(stage, lambda plan, traced: not traced, runs=60)
        self.assertEqual(len(campaign.State(whole.top).hits), 0)
        again = self.go(stage, runs=60, resume=True)
        self.assertEqual([(h.sign, h.plan, h.found, h.replay)
                          for h in again.hits],
                         [(h.sign, h.plan, h.found, h.replay)
                          for h in whole.hits])
        self.assertEqual(again.state.tried, whole.state.tried)
        self.assertEqual(again.state.signs, whole.state.signs)
        # and again: it is there, and no new one
        last = self.go(stage, runs=61, resume=True)
        self.assertEqual((last.hits, last.before), ([], 1))
        self.assertIn('0 new hits, 1 of before', last.summary())

    def test_resume_boots_nothing_when_nothing_is_left(self):
        stage = fakestage.Stage()
        whole = self.go(stage, runs=60)
        for runs, left in ((60, True), (61, False)):
            c = self.campaign(runs=runs, resume=True)
            self.assertEqual(c._complete(stage), left)
        c = self.campaign(runs=60, resume=True)
        c.ctx.ui.plan = lambda n: self.fail('it boots')
        c.ctx.log = None
        c.job = SimpleNamespace(new_logdir=lambda *_: '')
        with unittest.mock.patch.object(machine, 'stage',
                                        lambda *_: stage):
            stage.machine = None
            self.assertEqual(c.run(), [])
        self.assertIn('0 new hits, 1 of before', self.said[-1])
        self.assertIn('nothing is left', self.said[-1])
        self.assertFalse(self.campaign(runs=60)._complete(stage))
        whole.state.left.append(('order=01', UAF, 1, ''))
        whole.store()
        c = self.campaign(runs=60, resume=True)
        self.assertFalse(c._complete(stage))

    def test_resume_of_another_search_repeats_no_point(self):
        first = self.go(fakestage.Stage(fixed=True), runs=40)
        second = self.go(fakestage.Stage(fixed=True), runs=70, resume=True,
                         seed=2)
        self.assertTrue(any('another search' in x for x in self.said))
        keys = [plan.parse(x).key() for x in second.state.tried if 'at=' in x]
        self.assertEqual(len(set(keys)), len(keys))
        self.assertEqual(second.state.tried[:40], first.state.tried)

    def test_what_a_closed_qemu_says_is_no_result(self):
        stage = fakestage.Stage()
        self.go(stage, runs=20)
        c = self.campaign(runs=60)
        c._begin(stage)
        run = stage.run

        def gone(plan, traced=True):
            if c.state.runs == 5:
                c.stop = True
                return run(plan, traced)._replace(end='lost')
            return run(plan, traced)
        stage.run = gone
        c._work(stage)
        c.store()
        self.assertEqual((c.state.runs, len(c.state.open)), (5, 1))

    def test_what_is_known_is_counted_and_no_hit(self):
        os.makedirs(os.path.join(self.dir.name, 'docs', 'findings'))
        with open(os.path.join(self.dir.name, campaign.KNOWN), 'w',
                  encoding='utf-8') as f:
            f.write('7.3  in release$  docs/findings/F.md\n')
        c = self.go(fakestage.Stage(), runs=60)
        self.assertEqual(c.hits, [])
        self.assertEqual(c.state.signs[UAF][2], 'docs/findings/F.md')
        self.assertEqual(len(self.go(fakestage.Stage(), runs=60,
                                     known=True).hits), 1)
        # with --sign one of those that match, and no other
        for sign, n in (('release$', 1), ('WARNING', 0)):
            self.assertEqual(len(self.go(fakestage.Stage(), runs=60,
                                         known=True, sign=sign).hits), n)

    @staticmethod
    def first(c, run):
        found = oracle.findings(run)
        return c._first(found, c.leading(found))

    def test_what_followed_once_may_come_first_later(self):
        stage = fakestage.Stage()
        c = self.campaign(runs=4)
        c._begin(stage)
        splats = [[f'WARNING: CPU: 1 at {name}+0x1/0x2',
                   '---[ end trace 0000000000000000 ]---']
                  for name in 'fg']
        runs = [stage.run(Plan())._replace(console=sum(x, []))
                for x in (splats, splats[1:], splats[1:])]
        self.assertEqual(len(oracle.findings(runs[0])), 2)
        first = [self.first(c, r) for r in runs]
        self.assertEqual([f and f.sign for f in first],
                         ['WARNING in f', 'WARNING in g', None])
        c.state.store()
        again = campaign.State(c.top)
        self.assertTrue(again.load(c.state.key))
        self.assertEqual(again.led, ['WARNING in f', 'WARNING in g'])

    def test_what_lockdep_says_hides_nothing(self):
        os.makedirs(os.path.join(self.dir.name, 'docs', 'findings'))
        with open(os.path.join(self.dir.name, campaign.KNOWN), 'w',
                  encoding='utf-8') as f:
            f.write('7.3  ^lockdep: .* in f$  docs/findings/F.md\n')
        stage = fakestage.Stage()
        c = self.campaign(runs=4)
        c._begin(stage)
        lockdep = ['[ BUG: Invalid wait context ]', ' <TASK>', ' f+0x1/0x2',
                   ' </TASK>']
        both = stage.run(Plan())._replace(console=lockdep, ktap=[
            '# race: sign late: 1', '# scene: end'])
        self.assertEqual([f.sign for f in oracle.findings(both)],
                         ['lockdep: Invalid wait context in f', 'sign late'])
        self.assertEqual(self.first(c, both).sign, 'sign late')
        self.assertEqual(sorted(c.state.signs), [
            'lockdep: Invalid wait context in f', 'sign late'])
        self.assertIsNone(self.first(c, both._replace(ktap=both.ktap[1:])))

    def test_it_ends_after_the_hits_that_are_wanted(self):
        c = self.go(fakestage.Stage(), runs=500, hits=1)
        self.assertEqual(len(c.hits), 1)
        self.assertLess(c.state.runs, 100)

    def test_a_hit_has_the_number_of_its_schedule(self):
        """Another machine continues while it is shrunk and replayed."""
        c, stage = self.campaign(runs=60), fakestage.Stage()
        c._begin(stage)
        run = stage.run

        def others_too(plan, traced=True):
            c.state.runs += not traced      # a replay
            return run(plan, traced)
        stage.run = others_too
        c._work(stage)
        first = c.state.signs[UAF][1]
        self.assertGreater(c.state.runs, first + 7)
        self.assertEqual(c.hits[0].found, first)

    def test_what_is_under_way_counts(self):
        """Two machines run as many schedules as one."""
        stage, seen = fakestage.Stage(), []
        c = self.campaign(runs=21)
        c._begin(stage)
        run = stage.run

        def look(plan, traced=True):
            seen.append((c.state.runs, c.under_way, c.over()))
            return run(plan, traced)
        stage.run = look
        c._work(stage)
        self.assertIn((20, 1, True), seen)
        self.assertIn((19, 1, False), seen)
        self.assertEqual((c.state.runs, c.under_way), (21, 0))

    def test_it_ends_after_the_sign_that_is_wanted(self):
        c = self.go(fakestage.Stage(), runs=500, sign='in release$')
        self.assertEqual(len(c.hits), 1)
        self.assertLess(c.state.runs, 100)
        c = self.go(fakestage.Stage(), runs=60, sign='in another$')
        self.assertEqual((len(c.hits), c.state.runs), (1, 60))

    def test_runs_that_come_to_nothing_end_it(self):
        stage = fakestage.Stage()
        stage.run = lambda plan, traced=True: Run(
            plan, 'lost', {}, [], [], [], ['no end within 240 s'])
        with self.assertRaises(LabError) as e:
            self.go(stage)
        self.assertIn('no end within', e.exception.what)


class Measure(unittest.TestCase):
    def test_counted_to_the_hit_and_beyond_the_cap(self):
        with tempfile.TemporaryDirectory() as d:
            said = []
            stage = fakestage.Stage()
            self.assertTrue(measure.measure(
                stage, 3, 60, 'KASAN', os.path.join(d, 'm.json'),
                said.append, lambda text: None, ('search',))[0].hit)
            with open(os.path.join(d, 'm.json'), encoding='utf-8') as f:
                first = json.load(f)[0]['first']
            self.assertEqual(len(first), 3)
            self.assertNotIn(None, first)
            self.assertIn('3 of 3 seeds', said[0])
            self.assertFalse(measure.measure(
                fakestage.Stage(fixed=True), 2, 30, 'KASAN',
                os.path.join(d, 'm.json'), said.append, lambda text: None,
                ('search',))[0].hit)
            self.assertTrue(any('median more than 30' in x for x in said))

    def test_resume_makes_the_seeds_that_are_missing(self):
        def go(seeds, cap=60, **more):
            stage = fakestage.Stage()
            one, = measure.measure(stage, seeds, cap, 'KASAN', path,
                                   lambda x: None, lambda x: None,
                                   ('search',), **more)
            self.assertEqual(stage.longest > 0, stage.runs > 0)
            return one.first, stage.runs
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, 'm.json')
            whole, runs = go(4)
            half, first = go(2)
            self.assertEqual(go(4, resume=True), (whole, runs - first))
            self.assertEqual(go(4, resume=True), (whole, 0))
            self.assertGreater(go(4, cap=50, resume=True)[1], 0)
            self.assertEqual(half, whole[:2])


class Told(unittest.TestCase):
    """--json of what is no search: the fields that the manual has."""

    def setUp(self):
        patch = unittest.mock.patch('pri_lab.evidence.results.machine',
                                    lambda kernel, m, release:
                                    [kernel, m, release])
        patch.start()
        self.addCleanup(patch.stop)

    def test_a_file_that_is_run_again(self):
        one = hit.Hit(dict(scenario='close', sign=UAF))
        got = found.again(one, 'vm', '7.2', '7.2.1', 'as stored', 'order=01',
                          [19, 20], 2, [1, 1])
        self.assertEqual((got['verdict'], got['machine'], got['replay']),
                         ('REPRODUCED', ['7.2', 'vm', '7.2.1'], [19, 20]))
        got = found.again(one, 'vm', '7.2', '7.2.1', '', '', [0, 20], 0,
                          [0, 0])
        self.assertEqual(got['verdict'], 'NOT REPRODUCED')

    def test_measured(self):
        c = measure.Counted('random slices')
        c.first, c.runs, c.seconds = [3, None], 203, 61.26
        got, = found.measured('close', 'vm', '7.3', '7.3.4', 'KASAN', 200,
                              [c])
        self.assertEqual((got['strategy'], got['first'], got['seconds']),
                         ('random slices', [3, None], 61.3))

    def test_the_same_or_not(self):
        one = same.Same(Plan('01'))
        one.ways.update([('end', 5, 'ab')] * 3 + [('end', 6, 'cd')])
        got = found.same('close', 'vm', '7.3', '7.3.4', one)
        self.assertEqual((got['runs'], got['ways']), (
            4, [['end', 5, 'ab', 3], ['end', 6, 'cd', 1]]))
