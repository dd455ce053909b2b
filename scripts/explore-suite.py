#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How well `explore` finds what is known, and all that it has searched.

    explore-suite.py run measure|replay|control [--race A,B]
    explore-suite.py run search --kernel K [--scenario A,B] [--runs N]
                                [--seed S] [--focus F]
    explore-suite.py run same [--scenario A,B]
    explore-suite.py page       writes docs/results/explore.md

What has its result is not run again; two clones may run at the same time.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
REPO = os.path.dirname(HERE)
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)

from pri_lab.core import cache                      # noqa: E402
from pri_lab.explore import suite, suitepage        # noqa: E402
from pri_lab.races import race                      # noqa: E402

PRI_LAB = os.path.join(REPO, "pri-lab")


def everything():
    store = suite.Store(cache.Paths(REPO).root)
    return suite.joined(suite.kept(REPO), store.everything())


def replay(row):
    return suite.replay(row, suite.hit_seed(row, everything()))


def jobs(args):
    """What was asked for, in order."""
    races = suite.races(REPO)
    if args.part in ("measure", "replay", "control"):
        make = replay if args.part == "replay" else getattr(suite, args.part)
        found = [make(r) for r in races.rows
                 if not args.race or r.race in args.race.split(",")]
    else:
        kernel = races.kernel(args.kernel)
        names = args.scenario.split(",") if args.scenario else [
            e.name for e in race.load(REPO, race.SCENARIOS) if not e.steps]
        found = [suite.same(n, kernel) if args.part == "same" else
                 suite.search(n, kernel, args.runs, args.seed, args.focus)
                 for n in names]
    if args.reverse:
        found.reverse()
    return found


def run_one(job, store):
    """False: it did not come to its end."""
    with tempfile.TemporaryDirectory() as top:
        results = os.path.join(top, "results.json")
        subprocess.run([PRI_LAB, *job.command(results)], check=False)
        try:
            with open(results, encoding="utf-8") as f:
                document = json.load(f)
        except (OSError, ValueError):
            return False
    if not suite.complete(document):
        return False
    store.put(job, document)
    return True


def run(args):
    store = suite.Store(cache.Paths(REPO).root)
    failed = []
    wanted = jobs(args)
    for n, job in enumerate(wanted, 1):
        with store.taken(job) as mine:
            if not mine:
                continue
            print(f"[{n}/{len(wanted)}] {job.name}", flush=True)
            if not run_one(job, store):
                failed.append(job.name)
    for name in failed:
        print(f"no result: {name}", flush=True)
    return 1 if failed else 0


def page(_args):
    races = suite.races(REPO)
    results = suite.current(everything(), races.rows)
    suite.hand_over(REPO, results)
    suitepage.write(REPO, races, results)
    return 0


def main():
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    commands = p.add_subparsers(required=True)
    r = commands.add_parser("run")
    r.add_argument("part", choices=suite.PARTS)
    r.add_argument("--race", default="", metavar="A,B")
    r.add_argument("--scenario", default="", metavar="A,B")
    r.add_argument("--kernel", default="7.3", metavar="K")
    r.add_argument("--runs", type=int, default=100, metavar="N")
    r.add_argument("--seed", type=int, default=1, metavar="S")
    r.add_argument("--focus", default="iommu", metavar="F")
    r.add_argument("--reverse", action="store_true",
                   help="begin with the last one")
    r.set_defaults(do=run)
    commands.add_parser("page").set_defaults(do=page)
    args = p.parse_args()
    return args.do(args)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
