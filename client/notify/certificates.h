/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "server.h"

G_BEGIN_DECLS

/**
 * TokendNotifyCertificates:
 *
 * Warns of certificates that end, of the tokens that are plugged in.
 */
typedef struct _TokendNotifyCertificates TokendNotifyCertificates;

TokendNotifyCertificates *tokend_notify_certificates_new (TokendNotifyServer *server,
                                                          GPtrArray *views);
void tokend_notify_certificates_free (TokendNotifyCertificates *certificates);

void tokend_notify_certificates_consider (TokendNotifyCertificates *certificates);
void tokend_notify_certificates_stop (TokendNotifyCertificates *certificates);
void tokend_notify_certificates_forget (TokendNotifyCertificates *certificates);

G_END_DECLS
