/*
 * Requests that a switch does not pass on to the Root Complex
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/pci/ats_peer.h"
#include "hw/pci/pci.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pci_device.h"
#include "hw/pci/pcie.h"
#include "hw/pci/pcie_regs.h"
#include "system/address-spaces.h"

/* The window of one kind, which is closed if it ends before it begins */
static bool ats_peer_window(const PCIDevice *port, const AtsTlp *tlp,
                            uint8_t kind)
{
    pcibus_t base = pci_bridge_get_base(port, kind);
    pcibus_t limit = pci_bridge_get_limit(port, kind);

    return base <= tlp->addr && tlp->addr <= limit &&
           tlp->len - 1 <= limit - tlp->addr;
}

static bool ats_peer_claims(const PCIDevice *port, const AtsTlp *tlp)
{
    return pci_is_express_downstream_port(port) &&
           pci_get_word(port->config + PCI_COMMAND) & PCI_COMMAND_MEMORY &&
           (ats_peer_window(port, tlp, PCI_BASE_ADDRESS_SPACE_MEMORY) ||
            ats_peer_window(port, tlp, PCI_BASE_ADDRESS_MEM_PREFETCH));
}

/* Table 6-11 with E=0, no port has Egress Control; and 6.12.2 for DT */
static bool ats_peer_direct(const PCIDevice *port, const AtsTlp *tlp)
{
    uint16_t acs = port->exp.acs_cap ?
                   pci_get_word(port->config + port->exp.acs_cap +
                                PCI_ACS_CTRL) : 0;

    return !(acs & PCI_ACS_RR) ||
           (acs & PCI_ACS_DT && tlp->at == ATS_AT_TRANSLATED);
}

PCIDevice *ats_peer_of(const PCIDevice *port, const AtsTlp *tlp)
{
    PCIBus *bus;

    if (tlp->kind == ATS_TLP_MESSAGE || !pci_is_express(port) ||
        pcie_cap_get_type(port) != PCI_EXP_TYPE_DOWNSTREAM ||
        !ats_peer_direct(port, tlp)) {
        return NULL;
    }
    bus = pci_get_bus(port);
    for (unsigned int i = 0; i < ARRAY_SIZE(bus->devices); i++) {
        PCIDevice *peer = bus->devices[i];

        if (peer && peer != port && ats_peer_claims(peer, tlp)) {
            return peer;
        }
    }
    return NULL;
}

/* Is the address one of a function, by its Base Address Registers? */
static bool ats_peer_is(const PCIDevice *fn, const AtsTlp *tlp)
{
    for (unsigned int i = 0; i < PCI_NUM_REGIONS; i++) {
        const PCIIORegion *bar = &fn->io_regions[i];

        if (bar->size && !(bar->type & PCI_BASE_ADDRESS_SPACE_IO) &&
            bar->addr != PCI_BAR_UNMAPPED && tlp->addr >= bar->addr &&
            tlp->addr - bar->addr < bar->size &&
            tlp->len <= bar->size - (tlp->addr - bar->addr)) {
            return true;
        }
    }
    return false;
}

static bool ats_peer_below(const PCIBus *bus, const AtsTlp *tlp)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(bus->devices); i++) {
        PCIDevice *fn = bus->devices[i];

        if (fn && (ats_peer_is(fn, tlp) ||
                   (IS_PCI_BRIDGE(fn) &&
                    ats_peer_below(pci_bridge_get_sec_bus(PCI_BRIDGE(fn)),
                                   tlp)))) {
            return true;
        }
    }
    return false;
}

MemTxResult ats_peer_access(PCIDevice *dev, const AtsTlp *tlp,
                            MemTxAttrs attrs, uint8_t *buf)
{
    PCIDevice *port = dev, *peer = NULL;

    while (!peer && !pci_bus_is_root(pci_get_bus(port))) {
        port = pci_bridge_get_device(pci_get_bus(port));
        peer = ats_peer_of(port, tlp);
    }
    if (!peer ||
        !ats_peer_below(pci_bridge_get_sec_bus(PCI_BRIDGE(peer)), tlp)) {
        return MEMTX_DECODE_ERROR;
    }
    return address_space_rw(&address_space_memory, tlp->addr, attrs, buf,
                            tlp->len, tlp->kind == ATS_TLP_WRITE);
}
