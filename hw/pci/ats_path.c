/*
 * The way between a function and the Root Complex
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/pci/ats_path.h"
#include "hw/pci/ats_peer.h"
#include "hw/pci/pci.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pci_device.h"
#include "hw/pci/pcie.h"
#include "hw/pci/pcie_regs.h"
#include "trace.h"

/* First byte of a TLP header: Fmt and Type, PCIe 6.2 2.2.1 table 2-3 */
#define TLP_MRD64           0x20
#define TLP_MWR64           0x60
#define TLP_MSG_TO_ROOT     0x30
#define TLP_MSG_BY_ID       0x32
#define TLP_MSGD_BY_ID      0x72
/* End-End TLP Prefix with a PASID, PCIe 6.2 6.20.2.1 */
#define TLP_PREFIX_PASID    0x91
#define TLP_PREFIX_PRIV     (1u << 23)
#define TLP_PREFIX_EXEC     (1u << 22)

/* Message Codes, PCIe 6.2 table F-1 */
#define MSG_INV_REQUEST     0x01
#define MSG_INV_COMPLETION  0x02
#define MSG_PAGE_REQUEST    0x04
#define MSG_PRG_RESPONSE    0x05

/* -- What a port logs ------------------------------------------------------ */

static uint8_t ats_tlp_type(const AtsTlp *tlp)
{
    switch (tlp->kind) {
    case ATS_TLP_READ:
        return TLP_MRD64;
    case ATS_TLP_WRITE:
        return TLP_MWR64;
    default:
        return tlp->code == MSG_PAGE_REQUEST ? TLP_MSG_TO_ROOT :
               tlp->code == MSG_INV_REQUEST ? TLP_MSGD_BY_ID : TLP_MSG_BY_ID;
    }
}

/* Last and First DW Byte Enables of a Memory Request, PCIe 6.2 2.2.5 */
static uint8_t ats_tlp_byte_enables(const AtsTlp *tlp, uint32_t words)
{
    unsigned int before = tlp->addr & 3;
    unsigned int behind = words * 4 - before - tlp->len;
    uint8_t first = 0xf & 0xf << before, last = 0xf >> behind;

    return words > 1 ? last << 4 | first : first & last;
}

/* Header and prefix, PCIe 6.2 2.2.7, 10.3.2, 10.4; the tag of memory is 0 */
static void ats_tlp_log(const AtsTlp *tlp, PCIEAERErr *err)
{
    uint32_t words = tlp->kind == ATS_TLP_MESSAGE ? 0 :
                     DIV_ROUND_UP((tlp->addr & 3) + tlp->len, 4);

    err->flags |= PCIE_AER_ERR_HEADER_VALID;
    err->header[0] = (uint32_t)ats_tlp_type(tlp) << 24 | tlp->at << 10 |
                     (words & 0x3ff);
    err->header[1] = (uint32_t)tlp->rid << 16 |
                     (tlp->kind == ATS_TLP_MESSAGE ?
                      tlp->tag << 8 | tlp->code :
                      ats_tlp_byte_enables(tlp, words));
    err->header[2] = tlp->addr >> 32;
    err->header[3] = tlp->kind == ATS_TLP_MESSAGE ? tlp->addr :
                     (tlp->addr & ~3u) | tlp->no_write;
    if (tlp->pasid != ATS_NO_PASID) {
        err->flags |= PCIE_AER_ERR_TLP_PREFIX_PRESENT;
        err->prefix[0] = (uint32_t)TLP_PREFIX_PASID << 24 | tlp->pasid |
                         (tlp->priv ? TLP_PREFIX_PRIV : 0) |
                         (tlp->exec ? TLP_PREFIX_EXEC : 0);
    }
}

static AtsPathEnd ats_path_end(uint32_t error)
{
    return !error ? ATS_PATH_PASSED :
           error == PCI_ERR_UNC_ACSV ? ATS_PATH_CA : ATS_PATH_UR;
}

/*
 * The port is the Completer: a Non-Posted Request gets its completion, and is
 * an advisory error then (PCIe 6.2 6.2.3.2.4.1)
 */
static void ats_path_stop(PCIDevice *port, uint8_t above, const AtsTlp *tlp,
                          uint32_t error, AtsPathError *out)
{
    trace_ats_path_stop(port->name, tlp->rid, tlp->kind, tlp->at, tlp->pasid,
                        tlp->addr, error);
    *out = (AtsPathError) {
        .above = above,
        .err.status = error,
        .err.flags = tlp->kind == ATS_TLP_READ ?
                     PCIE_AER_ERR_MAYBE_ADVISORY : 0,
    };
    ats_tlp_log(tlp, &out->err);
}

/* -- What a port looks at -------------------------------------------------- */

static uint16_t ats_port_acs(const PCIDevice *port)
{
    return port->exp.acs_cap ?
           pci_get_word(port->config + port->exp.acs_cap + PCI_ACS_CTRL) : 0;
}

static bool ats_port_in_d0(const PCIDevice *port)
{
    return !port->pm_cap ||
           !(pci_get_word(port->config + port->pm_cap + PCI_PM_CTRL) &
             PCI_PM_CTRL_STATE_MASK);
}

/* Bus Master Enable; in D3hot a bridge passes on no Memory Request, 5.3.1.4 */
static bool ats_port_forwards(const PCIDevice *port)
{
    return pci_get_word(port->config + PCI_COMMAND) & PCI_COMMAND_MASTER &&
           ats_port_in_d0(port);
}

static bool ats_port_blocks_prefix(const PCIDevice *port, const AtsTlp *tlp)
{
    return tlp->pasid != ATS_NO_PASID &&
           pci_get_word(port->config + port->exp.exp_cap + PCI_EXP_DEVCTL2) &
           PCI_EXP_DEVCTL2_EETLPPB;
}

/* ACS Source Validation, PCIe 6.2 6.12.1.1: is the requester below the port? */
static bool ats_port_has_bus(const PCIDevice *port, uint16_t rid)
{
    uint8_t bus = rid >> 8;

    return bus >= port->config[PCI_SECONDARY_BUS] &&
           bus <= port->config[PCI_SUBORDINATE_BUS];
}

/* At the side of the port that is nearer to the function; 0: it may pass */
static uint32_t ats_port_ingress(const PCIDevice *port, const AtsTlp *tlp)
{
    uint16_t acs = ats_port_acs(port);

    /* AT of a message is 0 */
    if ((acs & PCI_ACS_SV && !ats_port_has_bus(port, tlp->rid)) ||
        (acs & PCI_ACS_TB && tlp->at != ATS_AT_UNTRANSLATED)) {
        return PCI_ERR_UNC_ACSV;
    }
    if (tlp->kind != ATS_TLP_MESSAGE && !ats_port_forwards(port)) {
        return PCI_ERR_UNC_UNSUP;
    }
    return 0;
}

/* -- The way --------------------------------------------------------------- */

/*
 * The port or bridge above @dev; NULL if that is the Root Complex.  Asked for
 * each TLP, so the type of the bus is not checked: it is none but PCI.
 */
static PCIDevice *ats_path_above(PCIDevice *dev)
{
    PCIBus *bus = container_of(dev->qdev.parent_bus, PCIBus, qbus);

    return pci_bus_is_root(bus) ? NULL : pci_bridge_get_device(bus);
}

/* PCI_ERR_UNC_* for which @port stops what goes up, or 0 */
static uint32_t ats_port_up(const PCIDevice *port, const AtsTlp *tlp)
{
    uint32_t error = ats_port_ingress(port, tlp);

    if (!error && pcie_cap_get_type(port) == PCI_EXP_TYPE_UPSTREAM &&
        ats_port_blocks_prefix(port, tlp)) {
        /* it leaves the switch here, 7.5.3.16 */
        return PCI_ERR_UNC_TLP_PRF_BLOCKED;
    }
    return error;
}

AtsPathEnd ats_path_up(PCIDevice *dev, const AtsTlp *tlp, AtsPathError *error)
{
    PCIDevice *port;
    uint8_t above = 0;

    for (port = ats_path_above(dev); port; port = ats_path_above(port)) {
        uint32_t status = pci_is_express(port) ? ats_port_up(port, tlp) : 0;

        if (status) {
            ats_path_stop(port, above, tlp, status, error);
            return ats_path_end(status);
        }
        if (ats_peer_of(port, tlp)) {
            return ATS_PATH_PEER;
        }
        above++;
    }
    return ATS_PATH_PASSED;
}

/* A switch's Upstream Port is where a message comes in, not where it leaves */
static bool ats_port_down(const PCIDevice *port, const AtsTlp *tlp)
{
    return !pci_is_express_downstream_port(port) ||
           !ats_port_blocks_prefix(port, tlp);
}

/* The port that stops it and is nearest to the Root Complex meets it first */
bool ats_path_down(PCIDevice *dev, const AtsTlp *tlp, AtsPathError *error)
{
    PCIDevice *port;
    uint8_t above = 0;
    bool passed = true;

    if (tlp->pasid == ATS_NO_PASID) {
        return true;
    }
    for (port = ats_path_above(dev); port; port = ats_path_above(port)) {
        if (!ats_port_down(port, tlp)) {
            ats_path_stop(port, above, tlp, PCI_ERR_UNC_TLP_PRF_BLOCKED,
                          error);
            passed = false;
        }
        above++;
    }
    return passed;
}

/* A posted Request is no advisory case, PCIe 6.2 6.2.3.2.4 */
AtsPathError ats_path_own_error(const AtsMsg *msg, uint32_t status)
{
    AtsPathError error = {
        .above = ATS_PATH_SELF,
        .err.status = status,
        .err.flags = status == PCI_ERR_UNC_UNX_COMP ?
                     PCIE_AER_ERR_MAYBE_ADVISORY : 0,
    };

    if (msg) {
        AtsTlp tlp = ats_path_message(msg);

        ats_tlp_log(&tlp, &error.err);
    }
    return error;
}

/* Who it is that has to report the error */
static PCIDevice *ats_path_reporter(PCIDevice *dev, const AtsPathError *error)
{
    PCIDevice *port = ats_path_above(dev);

    if (error->above == ATS_PATH_SELF) {
        return dev;
    }
    for (uint8_t i = 0; port && i < error->above; i++) {
        port = ats_path_above(port);
    }
    return port;
}

void ats_path_report(PCIDevice *dev, const AtsPathError *error)
{
    PCIEAERErr err = error->err;
    PCIDevice *port = ats_path_reporter(dev, error);

    /* a bridge tells a conventional bus by an abort, and nobody else */
    if (!port || !pci_is_express(port) ||
        pcie_cap_get_type(port) == PCI_EXP_TYPE_PCI_BRIDGE) {
        return;
    }
    if (port != dev && ats_path_end(err.status) == ATS_PATH_CA) {
        /* PCIe 6.2 6.12.5, 7.5.1.3.7 */
        pci_word_test_and_set_mask(port->config + PCI_SEC_STATUS,
                                   PCI_STATUS_SIG_TARGET_ABORT);
    }
    err.source_id = pci_requester_id(port);
    pcie_aer_inject_error(port, &err);
}

/* Bytes 8 to 15 of the header, PCIe 6.2 figures 10-9 ff. */
AtsTlp ats_path_message(const AtsMsg *msg)
{
    AtsTlp tlp = {
        .kind = ATS_TLP_MESSAGE,
        /* what comes down comes from the Root Complex */
        .rid = ats_msg_is_upstream(msg) ? msg->rid : 0,
        .pasid = msg->pasid,
        .priv = msg->priv,
        .exec = msg->exec,
    };

    switch (msg->kind) {
    case ATS_MSG_PAGE_REQUEST:
        tlp.code = MSG_PAGE_REQUEST;
        tlp.addr = (msg->addr & ~0xfffULL) | msg->prgi << 3 | msg->last << 2 |
                   msg->write << 1 | msg->read;
        break;
    case ATS_MSG_INV_COMPLETION:
        tlp.code = MSG_INV_COMPLETION;
        tlp.addr = (uint64_t)(msg->cc & 7) << 32 | msg->itags;
        break;
    case ATS_MSG_PRG_RESPONSE:
        tlp.code = MSG_PRG_RESPONSE;
        tlp.addr = (uint64_t)msg->rid << 48 | (uint64_t)msg->code << 44 |
                   (uint64_t)msg->prgi << 32;
        break;
    default:
        tlp.code = MSG_INV_REQUEST;
        tlp.tag = msg->itag;
        tlp.addr = (uint64_t)msg->rid << 48;
        break;
    }
    return tlp;
}
