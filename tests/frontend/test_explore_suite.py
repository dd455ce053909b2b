# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of what `explore` finds, and the jobs that it is made of."""

import os
import tempfile
import unittest

import run

from pri_lab.explore import suite, suitepage
from pri_lab.races import race

RACES = """# a comment
BOTH = 7.3+C-04+C-21

C-04  reset-unmap  BOTH  ^sign invalidation-timeout$  20  7.3
O-A  two-pasids  7.3  ^sign page-nobody-asked-for$  3  7.3+O-A-fix
"""


def document(results, status=0):
    lab = {"commit": "0123456789abcd", "dirty": True}
    return {"date": "2026-11-30T12:00:00Z", "lab": lab, "status": status,
            "results": results}


def measured(strategy, first, cap=20):
    return {"strategy": strategy, "first": first, "cap": cap, "schedules": 9,
            "machine": {"kernel": "7.3"}}


def searched(runs, signs, seed=1):
    return {"schedules": runs, "seconds": 60.0, "seed": seed, "why": "",
            "pairs": [3, 9], "hits": [], "logs": "/somewhere", "signs": [
                {"sign": s, "schedules": n, "first": 1, "page": p}
                for s, n, p in signs]}


def hit(plan):
    return {"plan": plan, "sign": "sign invalidation-timeout",
            "replay": [100, 100], "hashes": 1, "file": "/somewhere"}


class Suite(unittest.TestCase):
    def setUp(self):
        top = tempfile.TemporaryDirectory()
        self.addCleanup(top.cleanup)
        self.top = top.name
        self.races = suite.Races(RACES)
        self.store = suite.Store(self.top)

    def page(self):
        repo = os.path.join(self.top, "repo")
        os.makedirs(os.path.join(repo, "docs", "results"), exist_ok=True)
        suite.hand_over(repo, suite.joined(suite.kept(repo),
                                           self.store.everything()))
        suitepage.write(repo, self.races, suite.kept(repo))
        with open(os.path.join(repo, suitepage.PAGE), encoding="utf-8") as f:
            return f.read()

    def test_rows(self):
        row = self.races.rows[0]
        self.assertEqual(row.kernel, "7.3+C-04+C-21")
        self.assertEqual(self.races.short(row.kernel), "BOTH")
        self.assertEqual(row.cap, 20)
        self.assertEqual(self.races.kernel("BOTH+C-09"), "7.3+C-04+C-21+C-09")
        self.assertEqual(self.races.kernel("7.3+C-09"), "7.3+C-09")
        self.assertEqual(self.races.short(row.kernel + "+C-09"), "BOTH+C-09")
        for other in ("7.3+C-04", "7.3+C-04+C-211"):
            self.assertEqual(self.races.short(other), other)

    def test_each_race_has_a_scenario(self):
        names = {e.name for e in race.load(run.REPO, race.SCENARIOS)}
        for row in suite.races(run.REPO).rows:
            self.assertIn(row.scenario, names)

    def test_kept_once_and_without_paths(self):
        job = suite.measure(self.races.rows[0])
        self.assertFalse(self.store.has(job))
        self.store.put(job, document([measured("search", [1])]))
        self.assertTrue(self.store.has(job))
        kept = self.store.everything()[0]
        self.assertEqual(kept["commit"], "0123456789ab+")
        self.assertNotIn("machine", kept["results"][0])

    def test_two_clones_share_the_work(self):
        job = suite.measure(self.races.rows[0])
        with self.store.taken(job) as mine:
            self.assertTrue(mine)
            with suite.Store(self.top).taken(job) as other:
                self.assertFalse(other)
            self.store.put(job, document([measured("search", [1])]))
        with self.store.taken(job) as mine:
            self.assertFalse(mine)

    def test_another_seed_is_another_job(self):
        one, two = (suite.search("x", "7.3", 100, seed) for seed in (1, 2))
        self.store.put(one, document([searched(100, [])]))
        self.assertFalse(self.store.has(two))

    def test_what_did_not_end_is_no_result(self):
        self.assertFalse(suite.complete(document([searched(1, [])], 130)))
        self.assertFalse(suite.complete(document([])))
        self.assertFalse(suite.complete(document(
            [dict(searched(0, []), why="no boot")])))
        self.assertTrue(suite.complete(document([searched(1, [])], 1)))

    def test_median(self):
        """A seed without a hit counts as more than the most."""
        row = self.races.rows[0]
        self.store.put(suite.measure(row), document([
            measured("search", [1, 3, 8]),
            measured("random slices", [None, None, 8])]))
        self.assertIn("| 3 (3 of 3) | - (1 of 3) |  | 20 |", self.page())

    def test_plan(self):
        self.store.put(suite.replay(self.races.rows[0]), document([
            dict(searched(1, []), hits=[hit("order=0123 at=2:21 prq#1=pd#1")])
        ]))
        self.assertIn("| `order=0123 at=2:21 prq#1=pd#1` | 1, 1 "
                      "| 100 of 100 | 1 |", self.page())

    def test_a_kernel_with_many_patches_has_its_result(self):
        kernel = "7.1.3" + "+O-A-fix" * 30
        jobs = [suite.search("reset-unmap", kernel + end, 40)
                for end in ("", "+C-09-fix")]
        for job in jobs:
            self.store.put(job, document([]))
        self.assertEqual(len(self.store.everything()), len(jobs))

    def test_the_replay_is_of_a_seed_that_hits(self):
        row = self.races.rows[0]
        self.assertIn("--seed 1", " ".join(suite.replay(row).words))
        for first, seed in (([None, None, 8, 1], 3), ([4], 1), ([None], 1)):
            self.store.put(suite.measure(row), document([
                measured("random slices", [None, 1]),
                measured("search", first)]))
            self.assertEqual(suite.hit_seed(row, self.store.everything()),
                             seed)
        other = row._replace(kernel="7.2")
        self.assertEqual(suite.hit_seed(other, self.store.everything()), 1)

    def test_a_row_that_has_changed_has_no_result(self):
        row = self.races.rows[0]
        old = row._replace(kernel="7.3+C-04")
        for job in (suite.measure(row), suite.measure(old),
                    suite.search(row.scenario, "7.2", 9)):
            self.store.put(job, document([]))
        self.assertEqual(
            [r["kernel"] for r in suite.current(self.store.everything(),
                                                self.races.rows)],
            [row.kernel, "7.2"])

    def test_control_counts_its_sign(self):
        for seed, n in ((1, 0), (2, 1)):
            self.store.put(
                suite.search("reset-unmap", "7.3", 200, seed), document([
                    searched(200, [("sign invalidation-timeout", n, ""),
                                   ("WARNING in x", 7, "docs/findings/x.md")
                                   ], seed)]))
        text = self.page()
        self.assertIn("| 1 of 400 on 7.3 |", text)
        self.assertIn("14 times WARNING in x, first at 1 "
                      "([x](../../docs/findings/x.md))", text)
        self.assertIn("sign invalidation-timeout, first at 1 (behind another "
                      "one)", text)
        self.store.put(
            suite.search("reset-unmap", "7.3", 200, 3), document([
                dict(searched(200, [("sign invalidation-timeout", 1, "")], 3),
                     hits=[{"sign": "sign invalidation-timeout"}])]))
        self.assertIn("sign invalidation-timeout, first at 1 (**not known**)",
                      self.page())

    def test_what_is_written_up_since_is_known(self):
        os.makedirs(os.path.join(self.top, "repo", "docs", "findings"))
        with open(os.path.join(self.top, "repo", "docs", "findings",
                               "known-signs"), "w", encoding="utf-8") as f:
            f.write("7.3  ^WARNING in x$  docs/findings/x.md\n")
        self.store.put(suite.search("two-binds", "7.3", 9), document([
            searched(9, [("WARNING in x", 2, ""), ("Kernel panic in ?", 2, "")])
        ]))
        self.assertIn("| 2 times WARNING in x, first at 1 "
                      "([x](../../docs/findings/x.md)) |", self.page())

    def test_same(self):
        self.store.put(suite.same("two-binds", "7.3"), document([
            {"plan": p, "runs": 100, "ways": ways} for p, ways in (
                ("a", [["end", 7, "h", 100]]),
                ("b", [["end", 7, "h", 99], ["end", 8, "i", 1]]))]))
        self.assertIn("| `two-binds` | 7.3 | 200 | **199** |", self.page())

    def test_page_is_of_what_came_with_the_repository(self):
        text = self.page()
        self.store.put(suite.same("two-binds", "7.3"), document([
            {"plan": "a", "runs": 9, "ways": [["end", 7, "h", 9]]}]))
        self.assertNotEqual(self.page(), text)
        for path in os.listdir(self.store.top):
            os.unlink(os.path.join(self.store.top, path))
        self.assertIn("| `two-binds` | 7.3 | 9 | all |", self.page())


if __name__ == "__main__":
    unittest.main()
