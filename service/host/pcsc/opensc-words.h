/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * TokendOpenscWords:
 *
 * What the administrator tells OpenSC to leave alone, in the system's opensc.conf.
 */
typedef struct {
  GPtrArray *ignored_readers; /* of char *: parts of names */
  GPtrArray *card_drivers;    /* of char *; empty: all that OpenSC has */
} TokendOpenscWords;

TokendOpenscWords *tokend_opensc_words_load (void);
TokendOpenscWords *tokend_opensc_words_parse (const char *text);
gboolean tokend_opensc_words_ignore (const TokendOpenscWords *self, const char *reader);
void tokend_opensc_words_free (TokendOpenscWords *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendOpenscWords, tokend_opensc_words_free)

G_END_DECLS
