/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "module-config.h"
#include "service.h"
#include "token.h"

G_BEGIN_DECLS

/**
 * TokendModuleState:
 *
 * A module's state, as GetModules gives it, by nick.
 */
typedef enum {
  TOKEND_MODULE_STATE_LOADING, /*< nick=loading >*/
  TOKEND_MODULE_STATE_READY,   /*< nick=ready >*/
  TOKEND_MODULE_STATE_FAILED,  /*< nick=failed >*/
} TokendModuleState;

/**
 * TokendModule:
 *
 * A configured PKCS#11 module: its watching host, which is started again when it fails, and the
 * tokens that it shows.
 *
 * Signal `load-ended`: the state is not `loading` any more.
 * Signal `shows`: there is a new #TokendToken.
 * Signal `changed`: its tokens came, left, or were read.
 */
#define TOKEND_TYPE_MODULE (tokend_module_get_type ())
G_DECLARE_FINAL_TYPE (TokendModule, tokend_module, TOKEND, MODULE, GObject)

TokendModule *tokend_module_new (TokendService *service, const TokendModuleConfig *config);
gboolean tokend_module_has_config (TokendModule *self, const TokendModuleConfig *config);
void tokend_module_start (TokendModule *self);
void tokend_module_stop (TokendModule *self);

GVariant *tokend_module_describe (TokendModule *self);

void tokend_module_give_up_reads (TokendModule *self, const GError *error);

void tokend_module_set_watched (TokendModule *self, gboolean is_watched);
void tokend_module_let_go (TokendModule *self, const char *const *cards);
void tokend_module_go_on (TokendModule *self);
void tokend_module_set_left_open (TokendModule *self, const char *const *cards,
                                  gboolean is_left_open);
void tokend_module_end_operation (TokendModule *self, const char *const *cards);
GPtrArray *tokend_module_get_tokens (TokendModule *self);

G_END_DECLS
