/*
 * pri-testdev: accesses to memory
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/pci/ats_peer.h"
#include "hw/pci/pci.h"
#include "system/address-spaces.h"
#include "system/dma.h"
#include "pri-testdev.h"

/*
 * The Memory Request, as the ports above the function see it.  A translated one
 * has no PASID: PASID Capability bit 3 is 0 (PCIe 6.2 7.8.9.2).
 */
static AtsTlp pt_dma_tlp(const AtsTrEntry *entry, uint32_t pasid,
                         uint64_t addr, uint32_t len, bool write)
{
    return (AtsTlp) {
        .kind = write ? ATS_TLP_WRITE : ATS_TLP_READ,
        .at = entry->untranslated ? ATS_AT_UNTRANSLATED : ATS_AT_TRANSLATED,
        .addr = entry->untranslated ? addr : entry->addr + (addr - entry->iova),
        .len = len,
        .pasid = entry->untranslated ? pasid : ATS_NO_PASID,
    };
}

bool pt_dma_access(PriTestdev *d, const AtsTrEntry *entry, uint32_t pasid,
                   uint64_t addr, uint8_t *buf, uint32_t len, PtDma how)
{
    bool write = how != PT_DMA_READ;
    PCIDevice *dev = PCI_DEVICE(d);
    /* .memory: RAM only, so that a guest cannot send DMA into a device */
    MemTxAttrs attrs = { .memory = 1 };
    AtsTlp tlp = pt_dma_tlp(entry, pasid, addr, len, write);
    AtsPathEnd end = ats_function_may_pass(&d->fn, &tlp);
    MemTxResult res;
    uint64_t to;

    attrs.requester_id = tlp.rid;
    if (end == ATS_PATH_PEER) {
        res = ats_peer_access(dev, &tlp, how == PT_DMA_LANDS ? attrs :
                              MEMTXATTRS_UNSPECIFIED, buf);
    } else if (end != ATS_PATH_PASSED) {
        res = MEMTX_ACCESS_ERROR;
    } else if (entry->untranslated && pasid != ATS_NO_PASID) {
        res = ats_function_has_link(&d->fn) &&
              ats_link_untranslated(d->fn.link, dev, pasid, addr, write, &to) ?
              address_space_rw(&address_space_memory, to, attrs, buf, len,
                               write) : MEMTX_ACCESS_ERROR;
    } else if (entry->untranslated && how == PT_DMA_LANDS &&
               ats_function_has_link(&d->fn) &&
               ats_link_blocks(d->fn.link, dev, addr, write)) {
        res = MEMTX_ACCESS_ERROR;
    } else if (entry->untranslated) {
        res = pci_dma_rw(dev, addr, buf, len, write ?
                         DMA_DIRECTION_FROM_DEVICE : DMA_DIRECTION_TO_DEVICE,
                         how == PT_DMA_LANDS ? attrs : MEMTXATTRS_UNSPECIFIED);
    } else if (!ats_function_has_link(&d->fn) ||
               !ats_link_translated(d->fn.link, tlp.rid, tlp.addr, write)) {
        res = MEMTX_ACCESS_ERROR;
    } else {
        res = address_space_rw(&address_space_memory, tlp.addr, attrs, buf,
                               len, write);
    }
    if (res != MEMTX_OK) {
        d->dma.cnt.dma_errors++;
        return false;
    }
    if (write) {
        d->dma.cnt.bytes_written += len;
    } else {
        d->dma.cnt.bytes_read += len;
    }
    return true;
}

void pt_dma_generate(const PtOp *op, uint64_t addr, uint8_t *buf,
                     uint32_t len)
{
    uint64_t stamp = op->cmd == PT_OP_FILL ? 0 : UINT64_MAX;
    uint32_t i = 0;

    while (i < len) {
        uint64_t a = addr + i;

        if (len - i >= 8 && !(a & 7)) {
            stq_le_p(&buf[i], op->pattern ^ (a & stamp));   /* eight of them */
            i += 8;
        } else {
            buf[i++] = stamp ? PT_STAMP_BYTE(op->pattern, a) :
                               PT_FILL_BYTE(op->pattern, a);
        }
    }
}
