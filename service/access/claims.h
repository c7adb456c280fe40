/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * TokendClaims:
 *
 * Lets one operation at a time use a physical token. A claim is an flock on a file of the token's.
 * The operating host is handed the descriptor, so it keeps the claim if the service dies, and the
 * service's successor sees it. The file lists the other names by which the token is claimed.
 */
#define TOKEND_TYPE_CLAIMS (tokend_claims_get_type ())
G_DECLARE_FINAL_TYPE (TokendClaims, tokend_claims, TOKEND, CLAIMS, GObject)

TokendClaims *tokend_claims_new (const char *directory);

int tokend_claims_take (TokendClaims *self, const char *const *physical_ids, GError **error);
gboolean tokend_claims_check_free (TokendClaims *self, const char *const *physical_ids,
                                   GError **error);
void tokend_claims_look (TokendClaims *self);
gboolean tokend_claims_was_free_since (TokendClaims *self, const char *physical_id, gint64 since);
void tokend_claims_release (TokendClaims *self, const char *physical_id, int lock_fd,
                            gboolean host_is_done);
gboolean tokend_claims_is_held (TokendClaims *self, const char *physical_id);
guint tokend_claims_count (TokendClaims *self);
void tokend_claims_stop (TokendClaims *self);

G_END_DECLS
