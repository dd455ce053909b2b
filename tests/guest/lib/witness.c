/*
 * A process that finds out whether function 0 still works
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scene.h"
#include "witness.h"

static struct {
    pid_t pid;
    int ask, told;                  /* pipes to and from it */
} witness;

struct answer {
    uint32_t pasid;                 /* 0: none */
    bool wrote;
};

static void witness_main(int ask, int told)
{
    struct answer answer = {};
    struct pt_chan ch;
    struct pt pt;
    char c;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    scene_map(1);
    if (read(ask, &c, 1) == 1 && scene_open(&pt, 0) && scene_bind(&pt)) {
        pt_chan(&pt, &ch);
        answer.pasid = pt.pasid;
        answer.wrote = scene_write(&ch, 0) == PT_ST_DONE;
    }
    if (write(told, &answer, sizeof(answer)) == sizeof(answer)) {
        while (read(ask, &c, 1) == 1) {
            continue;
        }
    }
    _exit(KTAP_PASS);
}

void witness_start(void)
{
    int ask[2], told[2];

    signal(SIGPIPE, SIG_IGN);           /* it may be killed (OOM) */
    CHECK(!pipe2(ask, O_CLOEXEC) && !pipe2(told, O_CLOEXEC), "pipe: %s",
          strerror(errno));
    witness.pid = fork();
    CHECK(witness.pid >= 0, "fork: %s", strerror(errno));
    if (!witness.pid) {
        close(ask[1]);
        close(told[0]);
        witness_main(ask[0], told[1]);
    }
    close(ask[0]);
    close(told[1]);
    witness.ask = ask[1];
    witness.told = told[0];
}

uint32_t witness_ask(const char **why)
{
    struct answer answer = {};

    if (write(witness.ask, "", 1) != 1 ||
        read(witness.told, &answer, sizeof(answer)) != sizeof(answer)) {
        *why = "the process that binds dies";
        return 0;
    }
    *why = !answer.pasid ? "bind is refused" :
           "its write of a fresh page fails";
    return answer.wrote ? answer.pasid : 0;
}

void witness_end(void)
{
    if (!witness.pid) {
        return;
    }
    close(witness.ask);
    close(witness.told);
    CHECK(waitpid(witness.pid, NULL, 0) == witness.pid, "waitpid: %s",
          strerror(errno));
    witness.pid = 0;
}
