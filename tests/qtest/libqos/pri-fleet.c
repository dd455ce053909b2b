/*
 * Many pri-testdevs in one machine: eight functions a root port
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "libqtest.h"
#include "libqos/pri-fleet.h"

#define FLEET_PORT      4           /* slot of the first root port */
#define FLEET_FNS       8           /* functions behind a root port */

static char *fleet_devices(unsigned int n, const char *dev)
{
    GString *text = g_string_new(NULL);

    for (unsigned int i = 0; i < n; i++) {
        unsigned int port = i / FLEET_FNS;

        if (i % FLEET_FNS == 0) {
            g_string_append_printf(
                text, " -device pcie-root-port,id=rp%u,chassis=%u,slot=%u,"
                "bus=pcie.0,addr=%x", port, port + 1, port + 1,
                FLEET_PORT + port);
        }
        g_string_append_printf(
            text, " -device pri-testdev,id=pt%u,bus=rp%u,multifunction=on,"
            "addr=0.%u%s%s", i, port, i % FLEET_FNS, dev ? "," : "",
            dev ?: "");
    }
    return g_string_free(text, false);
}

void pri_fleet_start(PriFleet *f, unsigned int n, const char *vtd,
                     const char *dev)
{
    g_autofree char *devices = fleet_devices(n, dev);

    memset(f, 0, sizeof(*f));
    f->n = n;
    f->qts = qtest_initf("-machine q35 -m 512M -nodefaults "
                         "-device intel-iommu,id=vtd," LAB_VTD_OPTIONS "%s%s%s",
                         vtd ? "," : "", vtd ?: "", devices);
    qvtd_init(&f->v, f->qts);
    qvtd_start(&f->v);
    for (unsigned int i = 0; i < n; i++) {
        qpt_init_function(&f->d[i], f->qts, FLEET_PORT + i / FLEET_FNS,
                          LAB_BUS + i / FLEET_FNS, i % FLEET_FNS);
        qvtd_device_setup(&f->v, f->d[i].rid, 7);
        f->pml4[i] = qvtd_pasid_setup(&f->v, f->d[i].rid, LAB_PASID,
                                      LAB_DID + i);
    }
    qvtd_flush(&f->v);
    qvtd_qi_start(&f->v, FLEET_IQ_ORDER, true);
    qvtd_prq_start(&f->v, FLEET_PRQ_ORDER);
    for (unsigned int i = 0; i < n; i++) {
        qpt_enable(&f->d[i], 0);
    }
}

void pri_fleet_stop(PriFleet *f)
{
    qtest_quit(f->qts);
}

unsigned int pri_fleet_index(const PriFleet *f, uint16_t rid)
{
    unsigned int i = ((rid >> 8) - LAB_BUS) * FLEET_FNS + (rid & 7);

    g_assert_cmpuint(i, <, f->n);
    g_assert_cmphex(f->d[MIN(i, f->n - 1)].rid, ==, rid);
    return MIN(i, f->n - 1);
}
