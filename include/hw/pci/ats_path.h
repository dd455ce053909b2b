/*
 * The way between a function and the Root Complex
 *
 * What the ports above a function are told to stop stops here: Memory Requests
 * at a port whose Bus Master Enable is clear, requests that Access Control
 * Services forbid, TLPs with a PASID where End-End TLP Prefixes are blocked.
 * The port reports the error that PCIe names in its AER capability,
 * some time later: it may contain the error and reset the function, which must
 * not happen in the middle of something.
 *
 * The registers of the ports are read again for each TLP, as software changes
 * them at any time.  There is no state here.
 *
 * Locking: the BQL.
 *
 * PCIe 6.2 6.12, 7.5.1.1.3, 7.5.3.16, 7.7.11; error kinds 6.2.7 table 6-5
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_PCI_ATS_PATH_H
#define HW_PCI_ATS_PATH_H

#include "hw/pci/ats_link.h"
#include "hw/pci/pcie_aer.h"

/* Non-Posted are reads and Translation Requests, whose AT says so */
typedef enum AtsTlpKind {
    ATS_TLP_READ,
    ATS_TLP_WRITE,
    ATS_TLP_MESSAGE,
} AtsTlpKind;

/* Address Type of a Memory Request, PCIe 6.2 10.2.1 */
typedef enum AtsTlpAt {
    ATS_AT_UNTRANSLATED,
    ATS_AT_TRANSLATION_REQUEST,
    ATS_AT_TRANSLATED,
} AtsTlpAt;

/**
 * struct AtsTlp - one Request, as far as a port looks at it
 *
 * @kind: AtsTlpKind
 * @at: AtsTlpAt, of Memory Requests
 * @code, @tag: Message Code (PCIe 6.2 table F-1) and tag of a message
 * @rid: requester id that it carries
 * @pasid: PASID of the End-End TLP Prefix, ATS_NO_PASID without
 * @priv, @exec: the other bits of that prefix
 * @addr: address of a Memory Request or of a Page Request; bytes 8 to 15 of the
 *        header of other messages
 * @len: bytes of a Memory Request
 * @no_write: flag NW of a Translation Request (PCIe 6.2 10.2.2)
 */
typedef struct AtsTlp {
    uint64_t addr;
    uint32_t len;
    uint32_t pasid;
    uint16_t rid;
    uint8_t kind;
    uint8_t at;
    uint8_t code;
    uint8_t tag;
    bool priv;
    bool exec;
    bool no_write;
} AtsTlp;

/* What became of it; a posted Request that was not passed on is lost */
typedef enum AtsPathEnd {
    ATS_PATH_PASSED,
    ATS_PATH_UR,        /* Completion Status Unsupported Request */
    ATS_PATH_CA,        /* Completer Abort */
    ATS_PATH_PEER,      /* a switch sends it down again, ats_peer.h */
} AtsPathEnd;

/* No port: the function itself */
#define ATS_PATH_SELF       UINT8_MAX

/**
 * struct AtsPathError - what a port, or the function itself, has to report
 *
 * @above: ports between the port and the function, or ATS_PATH_SELF
 * @err: all but the source id
 */
typedef struct AtsPathError {
    uint8_t above;
    PCIEAERErr err;
} AtsPathError;

struct PCIDevice;

/**
 * ats_path_message: the TLP of a message of ATS or PRI
 */
AtsTlp ats_path_message(const AtsMsg *msg);

/**
 * ats_path_up: does a Request of @dev get to the Root Complex?
 *
 * @error: set if a port stops it
 */
AtsPathEnd ats_path_up(struct PCIDevice *dev, const AtsTlp *tlp,
                       AtsPathError *error);

/**
 * ats_path_down: does a message from the Root Complex get to @dev?
 *
 * @error: set if it does not
 */
bool ats_path_down(struct PCIDevice *dev, const AtsTlp *tlp,
                   AtsPathError *error);

/**
 * ats_path_own_error: an error that the function itself has detected
 *
 * @msg: the message that it is about, whose header is logged, or NULL
 * @status: PCI_ERR_UNC_*
 */
AtsPathError ats_path_own_error(const AtsMsg *msg, uint32_t status);

/**
 * ats_path_report: let the port above @dev, or @dev itself, report
 *
 * Downstream Port Containment can reset @dev before this returns.
 */
void ats_path_report(struct PCIDevice *dev, const AtsPathError *error);

#endif /* HW_PCI_ATS_PATH_H */
