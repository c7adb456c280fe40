/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "order-model.h"

/* A caller's operation, which goes as service/operation/operation.c has it go, and what it needs of
 * the rest of the model. */

#define MODEL_NO_FAULT 0

void model_follow_caller (const ModelState *state, ModelKind kind, guint i, ModelVisit visit,
                          gpointer data);
void model_end_call (ModelState *state, guint i);
const char *model_name_fault (const ModelState *state);

gboolean model_may_spend (const ModelState *state, ModelKind kind, guint remaining,
                          gboolean has_word);
guint8 model_get_finishes (guint i);
gboolean model_may_open (const ModelState *state, ModelKind kind);
gboolean model_may_commit (const ModelState *state, ModelKind kind);
gboolean model_read_token (ModelState *state, ModelKind kind);
void model_begin_try (ModelState *state);
void model_resolve (ModelState *state, TokendTryResult try_result);
gboolean model_is_claimed (const ModelState *state);
void model_end_host (ModelState *state);
