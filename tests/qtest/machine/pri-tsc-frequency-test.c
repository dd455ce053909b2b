/*
 * tsc-frequency under TCG (patch 0069): the TSC goes at that rate, and CPUID
 * says it, so that no guest has to measure it on a busy host
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include <glib/gstdio.h>

/* Real mode, all segments begin at 0 */
#define CODE            0x7000
#define DONE            0x8000
#define REGS            0x8004          /* EAX, EBX, ECX, EDX of CPUID */
#define TICKS           0x8014          /* TSC, of two reads the difference */
#define FIRMWARE_SIZE   0x10000
#define RESET_VECTOR    0xfff0

#define INSN_NS         1024            /* -icount shift=10 */
#define BETWEEN         4               /* instructions from read to read */
#define APM_INVTSC      (1u << 8)       /* CPUID[0x80000007].EDX */

typedef struct Said {
    uint32_t regs[4];
    uint32_t ticks;
} Said;

static char *make_firmware(uint32_t leaf)
{
    static const uint8_t jump[] = { 0xea, CODE & 0xff, CODE >> 8, 0, 0 };
    const uint8_t code[] = {
        0x66, 0xb8, leaf, leaf >> 8, leaf >> 16, leaf >> 24, /* eax = leaf */
        0x66, 0x31, 0xc9,                               /* ecx = 0 */
        0x0f, 0xa2,                                     /* cpuid */
        0x66, 0xa3, 0x04, 0x80,                         /* REGS */
        0x66, 0x89, 0x1e, 0x08, 0x80,
        0x66, 0x89, 0x0e, 0x0c, 0x80,
        0x66, 0x89, 0x16, 0x10, 0x80,
        0x0f, 0x31,                                     /* rdtsc */
        0x66, 0x89, 0xc6,                               /* esi = eax */
        0x90, 0x90,
        0x0f, 0x31,                                     /* rdtsc */
        0x66, 0x29, 0xf0,                               /* eax -= esi */
        0x66, 0xa3, 0x14, 0x80,                         /* TICKS */
        0xc6, 0x06, 0x00, 0x80, 0x01,                   /* DONE */
        0xeb, 0xfe,
    };
    g_autofree uint8_t *image = g_malloc0(FIRMWARE_SIZE);
    char *name;
    int fd = g_file_open_tmp("pri-tsc-XXXXXX", &name, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    memcpy(image + RESET_VECTOR, jump, sizeof(jump));
    memcpy(image + CODE, code, sizeof(code));
    g_assert_true(g_file_set_contents(name, (const char *)image,
                                      FIRMWARE_SIZE, NULL));
    return name;
}

/* Run it once; what did the CPU say? */
static Said ask(const char *cpu, uint32_t leaf)
{
    char *firmware = make_firmware(leaf);
    QTestState *qts = qtest_initf("-machine q35 -accel tcg -m 16M -S "
                                  "-nodefaults -icount shift=10,sleep=off "
                                  "-cpu %s -bios %s", cpu, firmware);
    g_autofree uint8_t *code = g_malloc(256);
    Said said;

    qtest_memread(qts, 0xf0000 + CODE, code, 256);
    qtest_memwrite(qts, CODE, code, 256);
    qtest_qmp_assert_success(qts, "{ 'execute': 'cont' }");
    while (!qtest_readb(qts, DONE)) {
        g_usleep(1000);
    }
    g_assert_cmpint(qtest_readb(qts, DONE), ==, 1);
    for (int i = 0; i < 4; i++) {
        said.regs[i] = qtest_readl(qts, REGS + 4 * i);
    }
    said.ticks = qtest_readl(qts, TICKS);
    qtest_quit(qts);
    g_unlink(firmware);
    g_free(firmware);
    return said;
}

static void check(const Said *s, uint32_t a, uint32_t b, uint32_t c)
{
    g_assert_cmphex(s->regs[0], ==, a);
    g_assert_cmphex(s->regs[1], ==, b);
    g_assert_cmphex(s->regs[2], ==, c);
    g_assert_cmphex(s->regs[3], ==, 0);
}

/* TSC = crystal * EBX / EAX; the crystal is what the APIC's timer counts */
static void test_crystal(void)
{
    Said s = ask("max,tsc-frequency=2500000000", 0x15);

    check(&s, 2, 5, 1000000000);
    s = ask("max,tsc-frequency=1000000000", 0x15);
    check(&s, 1, 1, 1000000000);
}

static void test_cpu(void)
{
    Said s = ask("max,tsc-frequency=2500000000", 0x16);

    check(&s, 2500, 2500, 100);
}

/* A guest that is not told must see that it is not */
static void test_not_told(void)
{
    Said s = ask("max,level=0x16", 0x15);

    check(&s, 0, 0, 0);
    s = ask("max,level=0x16", 0x16);
    check(&s, 0, 0, 0);
}

static void test_invariant(void)
{
    Said s = ask("max,tsc-frequency=1000000000", 0x80000007);

    g_assert_cmphex(s.regs[3] & APM_INVTSC, ==, APM_INVTSC);
    s = ask("max", 0x80000007);
    g_assert_cmphex(s.regs[3] & APM_INVTSC, ==, 0);
}

/* It is the virtual clock at that rate: exact, as instructions are counted */
static void test_rate(void)
{
    Said s = ask("max,tsc-frequency=1000000000", 0);

    g_assert_cmpuint(s.ticks, ==, BETWEEN * INSN_NS);
    s = ask("max,tsc-frequency=2500000000", 0);
    g_assert_cmpuint(s.ticks, ==, BETWEEN * INSN_NS * 5 / 2);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("/pri-tsc-frequency/crystal", test_crystal);
    qtest_add_func("/pri-tsc-frequency/cpu", test_cpu);
    qtest_add_func("/pri-tsc-frequency/not-told", test_not_told);
    qtest_add_func("/pri-tsc-frequency/invariant", test_invariant);
    qtest_add_func("/pri-tsc-frequency/rate", test_rate);
    return g_test_run();
}
