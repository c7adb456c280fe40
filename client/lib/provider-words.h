/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "provider.h"
#include "status.h"

G_BEGIN_DECLS

TokendProvider *tokenctl_provider (const char *name);

char *tokenctl_words_for_puk_beside (const TokendProvider *provider, GVariant *status,
                                     TokendRole role);
char *tokenctl_words_for_provider (const TokendProvider *provider, GVariant *status,
                                   TokendRole role);
char *tokenctl_words_for_puk_source (const TokendProvider *provider, const TokenctlTries *tries);
char *tokenctl_words_for_support (const TokendProvider *provider);
char *tokenctl_words_for_puk_loss (const TokendProvider *provider, const TokenctlTries *tries);

G_END_DECLS
