/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "target.h"
#include "profile.h"
#include "reading.h"
#include "service.h"
#include "status.h"
#include "token-source.h"
#include "views.h"

G_BEGIN_DECLS

/**
 * TokendRelations:
 *
 * How a token stands to the others that are shown; see the status keys of these names.
 */
typedef struct {
  char *card_id;
  char *pin_id;
  gboolean is_preferred;
  TokendCounterRecord shown[TOKEND_N_ROLES]; /* see TokendRelation */
} TokendRelations;

/**
 * TokendToken:
 *
 * A token as one module shows it, with its last reading.
 *
 * Signal `gone`: its module does not show it any more.
 * Signal `left`: it was taken out, or may have been, if only for a moment.
 */
#define TOKEND_TYPE_TOKEN (tokend_token_get_type ())
G_DECLARE_FINAL_TYPE (TokendToken, tokend_token, TOKEND, TOKEN, GObject)

TokendToken *tokend_token_new (TokendService *service, TokendTokenSource *source,
                               const TokendReading *reading, gint64 begun_at);
void tokend_token_remove (TokendToken *self);
void tokend_token_mark_unseen (TokendToken *self);

const char *tokend_token_get_reader (TokendToken *self);
void tokend_token_see_again (TokendToken *self, const TokendReading *reading, gint64 begun_at);
void tokend_token_update (TokendToken *self, const TokendReading *reading, gint64 begun_at);
void tokend_token_update_after (TokendToken *self, const TokendReading *reading,
                                const char *module);
void tokend_token_note_failure (TokendToken *self, const TokendReading *reading, TokendRole role);
void tokend_token_lose_reading (TokendToken *self);
void tokend_token_set_left_open (TokendToken *self, gboolean is_left_open);
void tokend_token_end_operation (TokendToken *self);

TokendView tokend_token_make_view (TokendToken *self, guint module_rank);
void tokend_token_set_relations (TokendToken *self, const TokendRelations *relations,
                                 GPtrArray *related, guint first_doubtful, guint n_doubtful,
                                 guint n_one);

const char *tokend_token_get_object_path (TokendToken *self);
const TokendReading *tokend_token_get_reading (TokendToken *self);
const TokendProfile *tokend_token_get_profile (TokendToken *self);
TokendWrongCode tokend_token_get_wrong_code (TokendToken *self, TokendRole role);
const char *tokend_token_get_physical_id (TokendToken *self);
const TokendTarget *tokend_token_get_target (TokendToken *self);
const char *tokend_token_get_label (TokendToken *self);
const char *tokend_token_get_serial (TokendToken *self);
TokendTokenSource *tokend_token_get_source (TokendToken *self);
TokendPinPolicy tokend_token_get_pin_policy (TokendToken *self);
TokendCodeRules tokend_token_get_code_rules (TokendToken *self, TokendRole role);
TokendCounter tokend_token_get_counter (TokendToken *self, TokendRole role);
TokendCounter tokend_token_evaluate (TokendToken *self, const TokendReading *reading,
                                     TokendRole role);
TokendCounter tokend_token_evaluate_now (TokendToken *self, TokendRole role);
gboolean tokend_token_check_certain (TokendToken *self, GError **error);
gboolean tokend_token_supports (TokendToken *self, TokendRole role, GError **error);
GVariant *tokend_token_get_status (TokendToken *self);
gboolean tokend_token_is_fresh (TokendToken *self);

void tokend_token_refresh_async (TokendToken *self, GAsyncReadyCallback callback,
                                 gpointer user_data);
gboolean tokend_token_refresh_finish (TokendToken *self, GAsyncResult *result, GError **error);

G_END_DECLS
