/*
 * pri-lab-mark ready|end: what guest/init/init stops the machine with
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdio.h>
#include <string.h>

#include "mark.h"

int main(int argc, char **argv)
{
    static const char *const names[] = {
        [MARK_READY] = "ready", [MARK_END] = "end",
    };

    for (unsigned i = MARK_READY; argc == 2 && i <= MARK_END; i++) {
        if (!strcmp(argv[1], names[i])) {
            mark(i, 0);
            return 0;
        }
    }
    fprintf(stderr, "usage: pri-lab-mark ready|end\n");
    return 2;
}
