/*
 * Requests that a switch does not pass on to the Root Complex
 *
 * A Memory Request that comes up through a Downstream Port of a switch, with an
 * address in the memory window of another one, goes down there and meets no
 * IOMMU, unless Access Control Services redirect it: PCIe 6.2 6.12.3 table
 * 6-11, and 6.12.2 for translated requests.  Translation Requests are no
 * exception; what they come to is no Translation Agent.
 *
 * Locking: the BQL.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_PCI_ATS_PEER_H
#define HW_PCI_ATS_PEER_H

#include "exec/memattrs.h"
#include "hw/pci/ats_path.h"

/**
 * ats_peer_of: the port by which a Request leaves the switch downwards
 *
 * @port: where it comes in, a port or bridge of any kind
 *
 * Returns: NULL if it goes on towards the Root Complex.
 */
struct PCIDevice *ats_peer_of(const struct PCIDevice *port, const AtsTlp *tlp);

/**
 * ats_peer_access: read or write what ATS_PATH_PEER has found
 *
 * @dev: the Requester
 * @buf: tlp->len bytes
 *
 * Returns: MEMTX_DECODE_ERROR if no function below that port has the address.
 */
MemTxResult ats_peer_access(struct PCIDevice *dev, const AtsTlp *tlp,
                            MemTxAttrs attrs, uint8_t *buf);

#endif /* HW_PCI_ATS_PEER_H */
