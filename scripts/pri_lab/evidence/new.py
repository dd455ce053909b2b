# SPDX-License-Identifier: GPL-2.0-or-later
"""`--new NAME`: a race or a scenario to start from, in the repository or
anywhere else."""

from __future__ import annotations

import os
import re

from ..core import cache
from ..core.errors import UsageError
from ..machine.schedule import LETTERS
from ..races import race

_RACE = '''\
/*
 * Race: X-{id}
 * Title: what goes wrong, in one line
 * What: what the race is, and where in the code
 * Loses: who loses by it
 * Order: first this, then that, then this again
 * Fix: none known
 * Kernels: the ones that have it, and how that is known
 * Sign: wrong-data
 * Sign: log /KASAN: .*use-after-free/
 * Expect: 7.3 no
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>
#include <unistd.h>

#include "pt.h"
#include "race.h"

#define PATTERN 0x5ca1ab1e0ddba11ull

static void a_race(void)
{{
    struct pt_op op = {{ .cmd = PT_OP_WRITE, .len = PT_PAGE,
                        .pattern = PATTERN }};
    struct pt_result res;
    struct pt_chan ch;
    struct pt pt;

    /* What does not belong to the race: everything is set up here */
    pt_open_bound(&pt, 0);
    pt_chan(&pt, &ch);
    op.dst = pt_map_anon(op.len);

    /* The snapshot is taken here; each run starts from it */
    race_ready();

    /* The order of events; knobs of the device say who waits for whom */
    pt_expect(&ch, &op, PT_ST_DONE, &res);
    if (*(volatile uint64_t *)op.dst != PATTERN) {{
        race_sign("wrong-data", "the page does not have what was written");
    }}
}}

/* seconds of the guest's time until the race is `stuck` */
RACE_MAIN("{name}", a_race, 30)
'''
_SCENARIO = '''\
/*
 * Title: what is tried, in one line
 * What: what each task does; nothing of when, and no task waits for another
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "scene.h"

/* Before the snapshot.  docs/manual/explore.md says what there is */
static void setup(void)
{{
    scene_begin(4);
}}

/* A task of its own beside those that scene.h has */
static void unbind_twice(void)
{{
    scene_rebind();
    scene_unbind_bound();
}}

SCENE(.name = "{name}", .setup = setup, .tasks = {{
    SCENE_THREAD("ask", scene_ask_groups),
    SCENE_THREAD("unbind", unbind_twice),
}})
'''


def named(name: str) -> None:
    """UsageError unless it is a name."""
    if not re.fullmatch(r'[a-z][a-z0-9-]*', name):
        raise UsageError(f'--new {name!r}: a name is of small letters, digits '
                         'and -')


def write(repo: str, where: str, name: str, scenario: bool) -> str:
    """Write the file; its path.

    where: the directory one is in; from inside the repository it goes where
    the others are.
    """
    named(name)
    if scenario and len(name) > LETTERS:
        raise UsageError(f'--new {name}: the name of a scenario has at most '
                         f'{LETTERS} letters')
    inside = os.path.realpath(where) + os.sep
    top = os.path.join(repo, race.SCENARIOS if scenario else race.RACES) \
        if inside.startswith(os.path.realpath(repo) + os.sep) \
        and os.access(repo, os.W_OK) else where
    path = os.path.join(top, f'{name}.c')
    if os.path.exists(path):
        raise UsageError(f'{path} is there already')
    text = (_SCENARIO if scenario else _RACE).format(
        name=name, id=name.upper()[:8])
    cache.write_atomic(path, text.encode())
    return path
