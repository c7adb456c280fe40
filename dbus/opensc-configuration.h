/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tokend-module.h"

G_BEGIN_DECLS

/* The variable by which OpenSC finds its configuration. */
#define TOKEND_OPENSC_VARIABLE "OPENSC_CONF"

gboolean tokend_unlock_method_is_opensc (TokendUnlockMethod method);
const char *tokend_opensc_configuration (TokendUnlockMethod method);

G_END_DECLS
