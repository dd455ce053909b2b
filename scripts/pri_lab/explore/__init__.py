# SPDX-License-Identifier: GPL-2.0-or-later
"""`explore`: look for races nobody has worked out.

    plan       what the machine is told, as data
    symbols    functions, lines and offsets of a kernel
    trace      what the machine recorded of a run
    cover      conflicting accesses, ordered pairs
    machine    one guest at the mark, run by run
    oracle     is anything wrong?
    search     which plan is next
    straight   random slices as points
    shrink     the smallest plan with the same splat
    hit        a hit as a file; the same point on another kernel
    show       a hit as people read it, pages of `--report`
    campaign   a search from its beginning to its end, kept on disk
    measure    schedules until the first hit
    found      what came of it, for --json
    command    the command line
    suite      what is run for docs/results/explore.md, and its results
    suitepage  that page
    steps      scenarios made of steps: every order of them
"""
