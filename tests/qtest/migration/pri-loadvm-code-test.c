/*
 * What TCG has translated, after a snapshot is loaded (patch 0014): kept where
 * the memory is the same as before, forgotten where it is not
 *
 * A race is run a hundred times from one snapshot of a machine that is stopped.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/lab-state.h"
#include "qemu/cutils.h"
#include <glib/gstdio.h>

/* Pages of real-mode code and data: all segments begin at 0 */
#define CODE            0x7000
#define WORD            0x8000
#define CALLED          0x9000
#define AFTER           0xa000

#define FIRMWARE_SIZE   0x10000
#define RESET_VECTOR    0xfff0

typedef struct Machine {
    QTestState *qts;
    char *firmware, *kernel, *disk;
} Machine;

/* for (;;) *WORD = value; */
#define LOOP(value) \
    { 0xc6, 0x06, WORD & 0xff, WORD >> 8, value, 0xeb, 0xf9 }

static char *make_file(const uint8_t *data, size_t len)
{
    char *name;
    int fd = g_file_open_tmp("pri-loadvm-XXXXXX", &name, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    g_assert_true(g_file_set_contents(name, (const char *)data, len, NULL));
    return name;
}

/* jmp 0:CODE, at the reset vector */
static char *make_firmware(void)
{
    static const uint8_t jump[] = { 0xea, CODE & 0xff, CODE >> 8, 0, 0 };
    g_autofree uint8_t *image = g_malloc0(FIRMWARE_SIZE);

    memcpy(image + RESET_VECTOR, jump, sizeof(jump));
    return make_file(image, FIRMWARE_SIZE);
}

/* Stopped, with a loop at CODE that is a ROM's data, as that of -kernel is */
static void start(Machine *m)
{
    static const uint8_t loop[] = LOOP(0x11);

    m->disk = make_file(NULL, 0);
    m->firmware = make_firmware();
    m->kernel = make_file(loop, sizeof(loop));
    m->qts = qtest_initf("-machine q35 -accel tcg -m 16M -S -nodefaults "
                         "-bios %s -device loader,file=%s,addr=0x%x,"
                         "force-raw=on", m->firmware, m->kernel, CODE);
    lab_create_disk(m->qts, m->disk);
}

static void remove_file(char *name)
{
    g_unlink(name);
    g_free(name);
}

static void end(Machine *m)
{
    qtest_quit(m->qts);
    remove_file(m->disk);
    remove_file(m->firmware);
    remove_file(m->kernel);
}

static void put_loop(Machine *m, uint16_t at, uint8_t value)
{
    uint8_t code[] = LOOP(value);

    qtest_memwrite(m->qts, at, code, sizeof(code));
}

static void stop(Machine *m)
{
    qtest_qmp_assert_success(m->qts, "{ 'execute': 'stop' }");
}

/*
 * Let it run until it has written something to WORD; what?  No clock ends this:
 * a test that makes no progress is ended by who runs it.
 */
static uint8_t run(Machine *m)
{
    uint8_t value = 0;

    qtest_writeb(m->qts, WORD, 0);
    qtest_qmp_assert_success(m->qts, "{ 'execute': 'cont' }");
    while (!value) {
        value = qtest_readb(m->qts, WORD);
        g_usleep(1000);
    }
    stop(m);
    return value;
}

/* A number that `info jit` has after @name */
static unsigned long count(Machine *m, const char *name)
{
    g_autofree char *text = qtest_hmp(m->qts, "info jit");
    const char *end, *line = strstr(text, name);
    unsigned long value;

    g_assert_nonnull(line);
    g_assert_true(g_ascii_isspace(line[strlen(name)]));
    g_assert_cmpint(qemu_strtoul(line + strlen(name), &end, 10, &value), ==, 0);
    return value;
}

static void test_other_code(void)
{
    Machine m;

    start(&m);
    g_assert_cmphex(run(&m), ==, 0x11);
    lab_run_job(m.qts, "snapshot-save", "save");
    put_loop(&m, CODE, 0x22);
    g_assert_cmphex(run(&m), ==, 0x22);
    lab_run_job(m.qts, "snapshot-load", "load");
    g_assert_cmphex(run(&m), ==, 0x11);
    end(&m);
}

/*
 * A page that is zero in the snapshot is not in its stream as a page: 00 00 is
 * add %al,(%bx,%si), which changes nothing here, and leads to the page behind
 */
static void test_zero_page(void)
{
    static const uint8_t call[] = {
        0xe8, (CALLED - CODE - 3) & 0xff, (CALLED - CODE - 3) >> 8,
        0xc6, 0x06, WORD & 0xff, WORD >> 8, 0x33, 0xeb, 0xf6,
    };
    const uint8_t ret = 0xc3;
    Machine m;

    start(&m);
    qtest_memwrite(m.qts, CODE, call, sizeof(call));
    put_loop(&m, AFTER, 0x44);
    lab_run_job(m.qts, "snapshot-save", "save");
    qtest_memwrite(m.qts, CALLED, &ret, sizeof(ret));
    g_assert_cmphex(run(&m), ==, 0x33);
    lab_run_job(m.qts, "snapshot-load", "load");
    g_assert_cmphex(run(&m), ==, 0x44);
    end(&m);
}

static void test_same_code(void)
{
    static const char *const jobs[] = { "first", "second", "third" };
    unsigned long flushed, invalidated, translated;
    Machine m;

    start(&m);
    g_assert_cmphex(run(&m), ==, 0x11);
    lab_run_job(m.qts, "snapshot-save", "save");
    g_assert_cmphex(run(&m), ==, 0x11);
    flushed = count(&m, "TB flush count");
    invalidated = count(&m, "TB invalidate count");
    translated = count(&m, "gen code size");
    g_assert_cmpuint(translated, >, 0);
    for (int i = 0; i < ARRAY_SIZE(jobs); i++) {
        lab_run_job(m.qts, "snapshot-load", jobs[i]);
        g_assert_cmphex(run(&m), ==, 0x11);
    }
    g_assert_cmpuint(count(&m, "TB flush count"), ==, flushed);
    g_assert_cmpuint(count(&m, "TB invalidate count"), ==, invalidated);
    g_assert_cmpuint(count(&m, "gen code size"), ==, translated);
    end(&m);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("/pri-loadvm-code/other-code", test_other_code);
    qtest_add_func("/pri-loadvm-code/zero-page", test_zero_page);
    qtest_add_func("/pri-loadvm-code/same-code", test_same_code);
    return g_test_run();
}
