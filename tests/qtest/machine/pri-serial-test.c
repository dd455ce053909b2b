/*
 * A line that is sent to a machine that stands still has arrived before it goes
 * on: `explore` tells the guest like that which scenario it is, and when each
 * byte comes must not be up to the host
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include <glib/gstdio.h>
#include <sys/ioctl.h>

#define COM1        0x3f8
#define LINE        "fifteen letters"
#define TURNS       1000    /* of QEMU's main loop, which takes the line */

enum { FCR = COM1 + 2, LSR = COM1 + 5, SCR = COM1 + 7, LSR_DR = 1 };

/* FIFO on and its trigger level: 1, 4, 8 (Linux's) and 14 bytes */
static const uint8_t levels[] = { 0x01, 0x41, 0x81, 0xc1 };

static int left(int fd)
{
    int n = 0;

    g_assert_cmpint(ioctl(fd, FIONREAD, &n), ==, 0);
    return n;
}

static void test_line(void)
{
    g_autofree char *dir = g_dir_make_tmp("pri-serial-XXXXXX", NULL);
    g_autofree char *fifo = g_build_filename(dir, "fifo", NULL);
    QTestState *qts;
    int fd;

    g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
    fd = open(fifo, O_RDWR);
    g_assert_cmpint(fd, >=, 0);
    qts = qtest_initf("-machine q35 -S -nodefaults -serial chardev:port "
                      "-chardev file,id=port,path=/dev/null,input-path=%s",
                      fifo);
    for (int i = 0; i < ARRAY_SIZE(levels); i++) {
        qtest_outb(qts, FCR, 0);
        qtest_outb(qts, FCR, levels[i]);
        g_assert_cmpint(write(fd, LINE, strlen(LINE)), ==, strlen(LINE));
        for (int turn = 0; left(fd) && turn < TURNS; turn++) {
            qtest_inb(qts, SCR);
        }
        g_assert_cmpint(left(fd), ==, 0);
        for (const char *c = LINE; *c; c++) {
            g_assert_true(qtest_inb(qts, LSR) & LSR_DR);
            g_assert_cmpint(qtest_inb(qts, COM1), ==, *c);
        }
    }
    qtest_quit(qts);
    close(fd);
    g_unlink(fifo);
    g_rmdir(dir);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("/pri-serial/line", test_line);
    return g_test_run();
}
